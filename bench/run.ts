import { parseArgs } from "node:util";
import { writeResults } from "./report/files.ts";
import { failed, type RowReport } from "./report/finding.ts";
import { describeMachine, loadAverage } from "./report/machine.ts";
import { rows as everyRow } from "./rows/index.ts";
import type { Context, Row } from "./rows/row.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

const wanted = values.only?.split(",").map((name) => name.trim());
const rows = everyRow.filter(
  ({ name, targets }) =>
    wanted === undefined ||
    wanted.includes(name) ||
    targets.some((target) => wanted.includes(target)),
);

if (values.list || rows.length === 0) {
  for (const { name, targets } of everyRow) console.log(`${name.padEnd(18)} ${targets.join(" ")}`);
  process.exit(rows.length === 0 ? 1 : 0);
}

const startedAt = performance.now();
const seconds = (): string =>
  `${((performance.now() - startedAt) / 1000).toFixed(0)} s`.padStart(6);
const context: Context = {
  isQuick: values.quick,
  pace: values.quick
    ? { rounds: 3, slice: 200, warmUp: 300, warmUpOperations: 15_000, maxWarmUp: 3 }
    : { rounds: 9, slice: 1000, warmUp: 1500, warmUpOperations: 100_000, maxWarmUp: 4 },
  million: values.quick ? 100_000 : 1_000_000,
  say: (text) => console.error(`${seconds()}  ${text}`),
};

const loadBefore = loadAverage();
const reports: RowReport[] = [];
for (const row of rows) reports.push(await report(row));

const { text, path } = writeResults(
  {
    machine: describeMachine(loadBefore),
    mode: values.quick ? "quick" : "full",
    tables: reports.flatMap(({ tables }) => tables),
    findings: reports
      .flatMap(({ findings }) => findings)
      .toSorted((left, right) => Number(left.target.slice(1)) - Number(right.target.slice(1))),
    notes: reports.flatMap(({ notes }) => notes),
  },
  wanted === undefined,
);
console.log(text);
console.error(`${seconds()}  ${path}`);

/** A row that breaks is reported as such; the others still run. */
async function report(row: Row): Promise<RowReport> {
  try {
    return await row.run(context);
  } catch (error) {
    console.error(error);
    const why = error instanceof Error ? error.message : String(error);
    const [line = ""] = why.split("\n");
    const findings = row.targets.map((target) => failed(target, row.name, line));
    return { tables: [], findings, notes: [] };
  }
}
