import { expect } from "vitest";
import { DEADLINE, type FaultBench, p99 } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase } from "../harness.ts";

/** What an answer may take beside the store's deadline, milliseconds. */
export const OVERHEAD = 50;

export const slownessCases: readonly FaultCase[] = [
  {
    name: "a store that is slow and in time keeps nobody from anything (F-10)",
    topic: "slowness",
    async run(bench) {
      const people = await bench.people(8);
      bench.network.break({ kind: "latency", milliseconds: 30, jitter: 30 });
      const replies = await bench.crowd(people, effort(400, 5000));
      expect(replies.length).toBeGreaterThan(people.length);
      expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    },
  },
  ...[100, 1000, 10_000].map(
    (milliseconds): FaultCase => ({
      name: `with answers that come ${milliseconds} ms late no request takes longer than its deadline (F-10)`,
      topic: "slowness",
      run: (bench) => slow(bench, milliseconds),
    }),
  ),
];

async function slow(bench: FaultBench, milliseconds: number): Promise<void> {
  const people = await bench.people(12);
  const [first] = people;
  await bench.ask(first);
  bench.network.break({ kind: "latency", milliseconds, jitter: milliseconds / 2 });
  const time = effort(1000, 10_000);
  const visitors = bench.crowd(people, time);
  const strangers = bench.crowd(people.slice(0, 2), time, () => bench.fetch("/public"));
  const replies = await visitors;
  const publicReplies = await strangers;
  expect(p99(replies), "p99 of requests with a session").toBeLessThanOrEqual(DEADLINE + OVERHEAD);
  expect(p99(publicReplies), "p99 of requests without one").toBeLessThanOrEqual(OVERHEAD);
  expect(publicReplies.filter(({ status }) => status !== 200)).toEqual([]);
  if (milliseconds > 2 * DEADLINE) {
    // The first ones may have been under way when it began.
    const late = replies.filter(({ served }) => served !== undefined);
    expect(late.length, "requests that were served in spite of it").toBe(0);
  }
  bench.network.mend();
  await bench.recovers(first);
}
