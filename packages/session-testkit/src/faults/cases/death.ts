import { expect } from "vitest";
import { DEADLINE, type FaultBench, p99 } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase, FaultTarget, ServerCrash } from "../harness.ts";
import { OVERHEAD } from "./slowness.ts";

/** The cases of a server that can die. */
export function deathCases<Target extends FaultTarget>(
  crash: ServerCrash<Target>,
): readonly FaultCase<Target>[] {
  const comesBackEmpty: FaultCase<Target> = {
    name: "a server that is killed and comes back empty signs everybody out, elevates nobody, and costs no cookie while it is away (F-13)",
    topic: "death",
    async run(bench) {
      const people = await bench.people(8);
      await die(bench, crash);
      await crash.restart(bench.target, "empty");
      await bench.soon("newcomers are served again", async () => {
        expect((await bench.fetch("/add")).served?.isNew).toBe(true);
      });
      for (const person of people) {
        const { served } = await bench.fetch("/me", person.cookie);
        expect(served).toMatchObject({ isNew: true });
        expect(served?.id).not.toBe(person.id);
        expect([served?.userId, served?.own, served?.n]).toEqual([undefined, undefined, undefined]);
      }
    },
  };
  const comesBackWhole: FaultCase<Target> = {
    name: "a server that is killed and comes back has everything that it had acknowledged (F-13)",
    topic: "death",
    async run(bench) {
      const people = await bench.people(4);
      const [first] = people;
      for (let round = 1; round <= effort(2, 10); round++) {
        for (const person of people) {
          const { status } = await bench.ask(person, "/add");
          expect(status).toBe(200);
        }
        await die(bench, crash);
        await crash.restart(bench.target, "as it was");
        await bench.soon("requests are served again", async () => {
          expect((await bench.ask(first)).status).toBe(200);
        });
        for (const person of people) expect((await bench.ask(person)).served?.n).toBe(round);
      }
    },
  };
  return crash.isDurable === true ? [comesBackEmpty, comesBackWhole] : [comesBackEmpty];
}

/** Kills the server; requests fail in time meanwhile. */
async function die<Target extends FaultTarget>(
  bench: FaultBench<Target>,
  crash: ServerCrash<Target>,
): Promise<void> {
  const people = await bench.people(4);
  bench.otherFaults += 1;
  await crash.kill(bench.target);
  const replies = await bench.crowd(people, 2 * DEADLINE);
  expect(replies.filter(({ served }) => served !== undefined)).toEqual([]);
  expect(p99(replies)).toBeLessThanOrEqual(DEADLINE + OVERHEAD);
  expect((await bench.fetch("/me")).setCookies).toEqual([]);
}
