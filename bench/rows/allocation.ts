import { LoadGenerator, ServerUnderTest } from "../method/server.ts";
import { type Spread, spread } from "../method/statistics.ts";
import { known, range, type Table } from "../report/finding.ts";
import type { Row } from "./row.ts";

const SESSIONS = 1000;
const VARIANTS = ["bare", "floor-sha", "ours"];
const HOSTS: Readonly<Record<string, string>> = {
  express: "express-session",
  koa: "koa-session",
  hono: "hono-sessions",
  node: "iron-session",
};
/** A young generation that is not collected while a slice is measured: what it grows by was allocated. */
const NODE_ARGS = ["--min-semi-space-size=1024", "--max-semi-space-size=1024", "--expose-gc"];

/** Garbage that a request makes: unlike times, the same on a busy machine. */
export const row: Row = {
  name: "allocation",
  targets: ["T5"],
  run: async ({ isQuick, say }) => {
    const slices = isQuick ? 3 : 7;
    const rows: string[][] = [];
    const load = new LoadGenerator();
    try {
      for (const [host, peer] of Object.entries(HOSTS)) {
        const names = [...VARIANTS, peer];
        say(`Allocation, ${host}: ${names.join(", ")}`);
        const found = new Map<string, Spread>();
        for (const name of names) found.set(name, await allocated(host, name, load, slices));
        const bare = found.get("bare")?.median ?? Number.NaN;
        for (const [name, bytes] of found) {
          rows.push([host, name, range(bytes), name === "bare" ? "" : `${bytes.median - bare}`]);
        }
      }
    } finally {
      await load.stop();
    }
    const table: Table = {
      title: "Bytes allocated a request, on V8's heap",
      columns: ["host", "variant", "bytes", "adds"],
      rows,
    };
    const findings = rows
      .filter(([, variant]) => variant === "ours")
      .map(([host, , , adds]) =>
        known("T5", `${host}: bytes allocated a request, added`, `${adds} bytes`, Number(adds)),
      );
    return { tables: [table], findings, notes: [] };
  },
};

async function allocated(
  host: string,
  variant: string,
  load: LoadGenerator,
  slices: number,
): Promise<Spread> {
  const expected = { knowsUsers: variant !== "bare", lines: 0, counts: false };
  const server = new ServerUnderTest({ host, variant, load, expected, nodeArgs: NODE_ARGS });
  try {
    await server.begin(SESSIONS);
    // Until the code is compiled, and what it allocates is what it always allocates.
    await server.run(1500);
    const bytes: number[] = [];
    for (let slice = 0; slice < slices; slice++) {
      const before = await server.ask<number>("collect");
      const { operations } = await server.run(300);
      bytes.push(Math.round(((await server.ask<number>("allocated")) - before) / operations));
    }
    return spread(bytes);
  } finally {
    await server.stop();
  }
}
