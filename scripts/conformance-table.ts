/** What a test of a conformance suite says about itself in its meta; see the testkit's `ConformanceCount`. */
export interface ConformanceCount {
  readonly suite: string;
  readonly interleavings?: number;
  readonly distinct?: number;
  readonly faults?: number;
  readonly missing?: string;
}

export type TestState = "passed" | "failed" | "skipped" | "pending";

/** One row for each suite: how many cases, interleavings and faults were tried, and what came of it. */
export class ConformanceTable {
  readonly #rows = new Map<string, Row>();
  readonly #missing: string[] = [];

  /** Takes in one test; `meta` is the test's, of whatever kind it is. */
  add(meta: object, state: TestState): void {
    const { conformance } = meta as { conformance?: ConformanceCount };
    if (conformance === undefined) return;
    const { suite, interleavings = 0, distinct = 0, faults = 0, missing } = conformance;
    const row = this.#rows.get(suite) ?? emptyRow();
    this.#rows.set(suite, row);
    row.cases += 1;
    row[state === "passed" || state === "failed" ? state : "skipped"] += 1;
    row.interleavings += interleavings;
    row.distinct += distinct;
    row.faults += faults;
    if (missing !== undefined) this.#missing.push(`${suite}: ${missing}`);
  }

  /** The lines to print; none where no suite ran. */
  lines(): string[] {
    const rows = [...this.#rows].sort(([left], [right]) => (left < right ? -1 : 1));
    if (rows.length === 0) return [];
    const cells = [
      ["conformance", ...COLUMNS],
      ...rows.map(([suite, row]) => [suite, ...COLUMNS.map((name) => format(row[name]))]),
    ];
    const widths = ["", ...COLUMNS].map((_, index) =>
      Math.max(...cells.map((line) => line[index]?.length ?? 0)),
    );
    const table = cells.map((line) =>
      line
        .map((cell, index) => {
          const width = widths[index] ?? 0;
          return index === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  "),
    );
    return ["", ...table, ...this.#missing.map((each) => `Not run: ${each}`)];
  }
}

const COLUMNS = [
  "cases",
  "passed",
  "failed",
  "skipped",
  "interleavings",
  "distinct",
  "faults",
] as const;

type Row = Record<(typeof COLUMNS)[number], number>;

function emptyRow(): Row {
  return { cases: 0, passed: 0, failed: 0, skipped: 0, interleavings: 0, distinct: 0, faults: 0 };
}

function format(count: number): string {
  return count === 0 ? "-" : count.toLocaleString("en");
}
