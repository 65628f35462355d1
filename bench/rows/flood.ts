import type { FloodOrder, FloodReport } from "../load/flood.ts";
import { Child } from "../method/child.ts";
import { LOAD_CORE, SERVER_CORE } from "../method/cores.ts";
import { atMost, known, number } from "../report/finding.ts";
import type { MemoryUse } from "../workers/heap.ts";
import type { Row } from "./row.ts";

const SIGNED_IN = 1000;
const NEWCOMERS = 10_000;
/** Flat: between reaching the limit and the end, memory grows by less than this share. */
const GROWTH = 1.1;

/** T13: new visitors in masses, at Express, with the limit of sessions reached. */
export const row: Row = {
  name: "flood",
  targets: ["T13"],
  run: async ({ isQuick, say }) => {
    const limit = isQuick ? 10_000 : 100_000;
    const seconds = isQuick ? 4 : 60;
    say(`Flood of ${number(NEWCOMERS)} visitors a second for ${seconds} s`);
    const server = new Child(new URL("../servers/main.ts", import.meta.url), {
      core: SERVER_CORE,
      args: ["express", "ours-limited", String(limit)],
    });
    const load = new Child(new URL("../load/flood.ts", import.meta.url), { core: LOAD_CORE });
    try {
      const port = await server.ask<number>("port");
      await load.ask("begin", port);
      const send = (newcomers: number, duration: number): Promise<FloodReport> => {
        const order: FloodOrder = {
          port,
          milliseconds: duration * 1000,
          signedIn: SIGNED_IN,
          newcomers,
        };
        return load.ask("flood", order);
      };
      const rss = async (): Promise<number> => {
        const { rss, young } = await server.ask<MemoryUse>("memory");
        return rss - young;
      };
      await send(NEWCOMERS / 10, 1);
      const calm = await send(0, isQuick ? 2 : 15);
      // Twice as many as there may be sessions: from here on each newcomer takes the place of another.
      await send(NEWCOMERS, (2 * limit) / NEWCOMERS);
      const before = await rss();
      const flooded = await send(NEWCOMERS, seconds);
      const after = await rss();
      const rate = flooded.newcomers / seconds;
      return {
        tables: [],
        findings: [
          known(
            "T13",
            "Flood: new visitors served",
            `${number(rate)} a second, ${number(flooded.unsent)} not sent`,
            rate,
          ),
          atMost({
            target: "T13",
            subject: `Flood: memory without the young generation after, of before, limit ${number(limit)} sessions`,
            value: after / before,
            limit: GROWTH,
            unit: "×",
          }),
          atMost({
            target: "T13",
            subject: `Flood: p99 of those who are signed in, of ${number(calm.p99)} ms without flood`,
            value: flooded.p99 / calm.p99,
            limit: 2,
            unit: "×",
          }),
        ],
        notes: [],
      };
    } finally {
      await load.stop();
      await server.stop();
    }
  },
};
