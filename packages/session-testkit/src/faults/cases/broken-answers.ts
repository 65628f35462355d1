import { expect } from "vitest";
import { DEADLINE, type FaultBench, LONGEST_WAIT } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase } from "../harness.ts";
import type { Network } from "../network.ts";
import type { NetworkFault } from "../network-fault.ts";
import type { Person } from "../person.ts";

/** What is done to the answers, by name. */
export const BREAKS: Readonly<Record<string, (network: Network) => void>> = {
  "reset at once": (network) => network.reset(),
  "reset in their middle": breaking({ kind: "reset mid-reply" }),
  truncated: breaking({ kind: "truncate" }),
  "cut after some bytes": breaking({ kind: "cut", bytes: 700 }),
  "closed in one direction": breaking({ kind: "half-close" }),
  "byte by byte": breaking({ kind: "trickle" }),
  "preceded by nonsense": breaking({ kind: "corrupt" }),
  "lost on their way": breaking({ kind: "swallow" }),
  "held up and given back late": breaking({ kind: "black hole" }),
};

export const brokenAnswerCases: readonly FaultCase[] = Object.entries(BREAKS).map(
  ([name, start]) => ({
    name: `with answers that are ${name} every request gets its own session or an error (F-12)`,
    topic: "broken answers",
    run: (bench) => ownOrNothing(bench, start, start === BREAKS["byte by byte"]),
  }),
);

function breaking(fault: NetworkFault): (network: Network) => void {
  return (network) => network.break(fault);
}

/** Breaks and mends in turns, while everybody asks, until enough requests have been served. */
async function ownOrNothing(
  bench: FaultBench,
  start: (network: Network) => void,
  isMereSlowness: boolean,
): Promise<void> {
  const { network } = bench;
  const people = await bench.people(16);
  const [first] = people;
  const visitors = new Visitors(bench, people);
  const rounds = effort(4, 30);
  let reached = 0;
  let inSpite = 0;
  try {
    for (let round = 0; visitors.served < effort(300, 12_000) || reached < rounds; round++) {
      const atMost = round % 2 === 0 ? BRIEFLY : LONG;
      const before = network.harmed;
      start(network);
      await bench.until(() => network.harmed > before, atMost);
      // What was on its way before has arrived now.
      await bench.breathe();
      const already = visitors.served;
      await bench.until(() => network.harmed > before + (isMereSlowness ? 50 : 3), atMost);
      inSpite += visitors.served - already;
      if (network.harmed > before) reached += 1;
      network.mend();
      const from = visitors.served;
      await bench.until(() => visitors.served > from + 40, LONGEST_WAIT);
      expect(visitors.served, "requests served once it was whole again").toBeGreaterThan(from);
      bench.verdict();
    }
  } finally {
    await visitors.leave();
  }
  if (isMereSlowness) {
    expect(inSpite, "requests that were served in spite of it").toBeGreaterThan(0);
  }
  await bench.recovers(first);
}

/** People who ask one time after the other, and some who ask whether or not they have been answered. */
class Visitors {
  served = 0;
  readonly #bench: FaultBench;
  readonly #going: Promise<unknown>;
  #isOver = false;

  constructor(bench: FaultBench, people: readonly [Person, ...Person[]]) {
    this.#bench = bench;
    this.#going = Promise.all([
      ...people.map((person) => this.#patiently(person)),
      this.#impatiently(people[0]),
    ]);
  }

  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#going;
  }

  async #patiently(person: Person): Promise<void> {
    while (!this.#isOver) {
      if (!(await this.#ask(person))) await this.#bench.breathe();
    }
  }

  async #impatiently(person: Person): Promise<void> {
    const asked: Promise<boolean>[] = [];
    while (!this.#isOver) {
      const asking = this.#ask(person);
      // It is awaited in the end; until then an early failure must not count as unhandled.
      asking.catch(() => undefined);
      asked.push(asking);
      await this.#bench.breathe();
    }
    await Promise.all(asked);
  }

  async #ask(person: Person): Promise<boolean> {
    const { served } = await this.#bench.ask(person);
    if (served !== undefined) this.served += 1;
    return served !== undefined;
  }
}

/** Milliseconds that the network stays broken at most: so that callers still wait when it is whole again, … */
const BRIEFLY = 50;

/** … and so that answers come after their callers have given up. */
const LONG = DEADLINE + 50;
