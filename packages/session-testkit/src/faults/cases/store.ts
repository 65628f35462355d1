import { expect } from "vitest";
import { eventually } from "../../adapter/patience.ts";
import { type FaultBench, LONGEST_WAIT } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase, FaultOutcome, FaultTarget, StoreFault } from "../harness.ts";
import type { Reply } from "../person.ts";

/** One case for each thing that can happen to the server. */
export function storeFaultCases<Target extends FaultTarget>(
  faults: readonly StoreFault<Target>[],
): readonly FaultCase<Target>[] {
  return faults.map((fault) => ({
    name: `a store that ${fault.name} says so, lets nobody in by mistake, and is well again in less than two seconds (F-14)`,
    topic: "store",
    run: (bench) => endure(bench, fault),
  }));
}

async function endure<Target extends FaultTarget>(
  bench: FaultBench<Target>,
  { begin, end, expects, losesSessions = false }: StoreFault<Target>,
): Promise<void> {
  const people = await bench.people(4);
  const [first] = people;
  for (const person of people) await bench.ask(person, "/add");
  bench.otherFaults += 1;
  await begin(bench.target);
  try {
    // A connection that was open may take a moment to notice.
    await eventually(LONGEST_WAIT, async () => {
      expect(codesOf(expects.read)).toContain(outcomeOf(await bench.ask(first)));
      expect(codesOf(expects.write)).toContain(outcomeOf(await bench.ask(first, "/put/x")));
    });
    for (let round = 0; round < effort(5, 100); round++) {
      for (const person of people) {
        const read = outcomeOf(await bench.ask(person));
        expect(codesOf(expects.read), "what a request that reads gets").toContain(read);
        const write = outcomeOf(await bench.ask(person, `/put/${round}`));
        expect(codesOf(expects.write), "what a request that writes gets").toContain(write);
      }
      const newcomer = await bench.fetch("/me");
      const { id } = newcomer.served ?? {};
      expect(people.map((person) => person.id)).not.toContain(id);
      expect(newcomer.served?.userId).toBeUndefined();
    }
    for (const code of [codesOf(expects.read), codesOf(expects.write)].flat()) {
      if (code === "works" || Array.isArray(expects.write) || Array.isArray(expects.read)) continue;
      expect([...bench.storeErrors.keys()], "errors that were counted").toContain(code);
    }
  } finally {
    await end(bench.target);
  }
  if (losesSessions) {
    await bench.soon("newcomers are served again", async () => {
      expect((await bench.fetch("/add")).status).toBe(200);
    });
    return;
  }
  await bench.recovers(first);
  for (const person of people.slice(1)) {
    const { served } = await bench.ask(person);
    expect(served?.n, "what was acknowledged before").toBe(1);
  }
}

function codesOf(outcome: FaultOutcome): readonly string[] {
  return typeof outcome === "string" ? [outcome] : outcome;
}

function outcomeOf({ served, code }: Reply): string {
  return served === undefined ? String(code) : "works";
}
