import type { Finding, Table } from "./finding.ts";
import type { Machine } from "./machine.ts";

const VERDICTS = { met: "met", short: "**short**", info: "", failed: "**failed**" } as const;

/** Everything of one run. */
export interface Results {
  readonly machine: Machine;
  readonly mode: "quick" | "full";
  readonly tables: readonly Table[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

export function formatResults(results: Results, history: Table | undefined): string {
  const { machine, mode, tables, findings, notes } = results;
  return [
    `# Bench of ${machine.date}, commit ${machine.commit}`,
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}; Node ${machine.node}; ${machine.system}.`,
    `Packages from ${machine.packages}. ${machine.pinned ? "Server and load pinned to a core each" : "Nothing pinned"}.`,
    `Load average ${machine.loadBefore.join(" ")} before, ${machine.loadAfter.join(" ")} after; a run of its own reads about 2 at the end.`,
    `Mode: ${mode}. Figures are medians of rounds, with (min to max).`,
    "",
    "## Verdicts",
    "",
    formatTable({
      title: "",
      columns: ["#", "what", "target", "result", "verdict"],
      rows: findings.map(({ target, subject, limit, result, verdict }) => [
        target,
        subject,
        limit,
        result,
        VERDICTS[verdict],
      ]),
    }),
    ...tables.flatMap((table) => [`## ${table.title}`, "", formatTable(table)]),
    ...(notes.length === 0 ? [] : ["## Notes", "", ...notes.map((note) => `- ${note}`), ""]),
    ...(history === undefined ? [] : [`## ${history.title}`, "", formatTable(history)]),
    "## Versions",
    "",
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    "",
  ].join("\n");
}

/** A table that is also readable as plain text. */
export function formatTable({ columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, index) => (cells[index] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return `${[line(columns), rule, ...rows.map(line)].join("\n")}\n`;
}
