import { expect } from "vitest";
import { DEADLINE, p99 } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase } from "../harness.ts";
import { OVERHEAD } from "./slowness.ts";

/** Longest time that the event loop may stand still, milliseconds. */
const LAG = 50;

/** Milliseconds between the end of a probe and the beginning of the next one, at least. */
const PROBE_PAUSE = 200;

export const silenceCases: readonly FaultCase[] = [
  {
    name: "behind a network that swallows everything requests fail at their deadline, and soon at once, with one probe at a time (F-11)",
    topic: "silence",
    async run(bench) {
      const people = await bench.people(16);
      const [first] = people;
      await bench.crowd(people, 50);
      bench.loop.takeLongest();
      bench.network.break({ kind: "black hole" });
      const failing = await bench.crowd(people, 3 * DEADLINE);
      expect(p99(failing), "p99 while it is found out").toBeLessThanOrEqual(DEADLINE + OVERHEAD);

      bench.calls.take();
      const time = effort(1000, 20_000);
      const refused = await bench.crowd(people, time);
      const { calls, most } = bench.calls.take();
      expect(most, "calls to the store at the same time").toBeLessThanOrEqual(1);
      expect(calls, "calls to the store").toBeLessThanOrEqual(2 + time / PROBE_PAUSE);
      expect(refused.length, "requests meanwhile").toBeGreaterThan(5 * (calls + 1));
      expect(p99(refused), "p99 once it is known").toBeLessThanOrEqual(DEADLINE + OVERHEAD);
      const served = [...failing, ...refused].filter((reply) => reply.served !== undefined);
      expect(served).toEqual([]);
      expect(bench.loop.takeLongest(), "milliseconds without the event loop").toBeLessThan(LAG);

      bench.network.mend();
      await bench.recovers(first);
    },
  },
  {
    name: "while nobody can look, no cookie is set or cleared, also for those who have none (R-77)",
    topic: "silence",
    async run(bench) {
      const [person] = await bench.people(2);
      bench.network.break({ kind: "black hole" });
      for (let round = 0; round < effort(3, 30); round++) {
        await bench.ask(person);
        await bench.ask(person, "/add");
        await bench.ask(person, "/sign-out");
        const newcomer = await bench.fetch("/me");
        expect(newcomer.status).toBe(503);
        expect(newcomer.setCookies).toEqual([]);
        expect((await bench.fetch("/public")).status).toBe(200);
      }
      bench.network.mend();
    },
  },
  {
    name: "a server that is not there, and is again, is a matter of less than two seconds (F-11)",
    topic: "silence",
    async run(bench) {
      const [person] = await bench.people(2);
      for (let round = 0; round < effort(2, 20); round++) {
        await bench.recovers(person);
        await bench.network.stop();
        const replies = await bench.crowd([person, person, person], DEADLINE);
        expect(replies.filter((reply) => reply.served !== undefined)).toEqual([]);
        expect(p99(replies)).toBeLessThanOrEqual(DEADLINE + OVERHEAD);
        await bench.network.listen();
        await bench.recovers(person);
      }
    },
  },
];
