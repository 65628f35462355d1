import { Child } from "../method/child.ts";
import { Service } from "../method/service.ts";
import { number, type RowReport } from "../report/finding.ts";
import type { Context, Row } from "./row.ts";

const KINDS = ["sqlite", "redis", "postgres"] as const;
const ENTRIES = [0, 20, 100] as const;

/** What a session takes in each store. */
export const row: Row = { name: "size", targets: [], run };

async function run({ isQuick, say }: Context): Promise<RowReport> {
  const sessions = isQuick ? 2000 : 20_000;
  const rows: string[][] = [];
  for (const kind of KINDS) {
    say(`${kind}: bytes of a session`);
    const sizes: number[] = [];
    for (const entries of ENTRIES) sizes.push(await sizeOf(kind, sessions, entries));
    const [, withTwenty = 0] = sizes;
    rows.push([kind, ...sizes.map(number), `${number(withTwenty / 1000)} GB`]);
  }
  return {
    tables: [
      {
        title: `Bytes of a signed-in session with a little data, of ${number(sessions)} sessions`,
        columns: [
          "store",
          ...ENTRIES.map((entries) => `${entries} entries`),
          "a million with 20 entries",
        ],
        rows,
      },
    ],
    findings: [],
    notes: [],
  };
}

async function sizeOf(
  kind: (typeof KINDS)[number],
  sessions: number,
  entries: number,
): Promise<number> {
  const service = kind === "sqlite" ? undefined : await Service.start(kind);
  const worker = new Child(new URL("../workers/store-size.ts", import.meta.url));
  try {
    return await worker.ask<number>("size", {
      kind,
      url: service?.place.url ?? "",
      sessions,
      entries,
    });
  } finally {
    await worker.stop();
    await service?.stop();
  }
}
