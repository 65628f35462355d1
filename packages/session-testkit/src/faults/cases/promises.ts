import { expect } from "vitest";
import { type SeededRandom, seededRandom } from "../../store/random.ts";
import { DEADLINE, type FaultBench } from "../bench.ts";
import { effort } from "../effort.ts";
import type { FaultCase } from "../harness.ts";
import type { Person } from "../person.ts";
import { BREAKS } from "./broken-answers.ts";

export const promiseCases: readonly FaultCase[] = [
  {
    name: "whatever happens on the way, what was acknowledged is there, and nothing is done more often than it was tried (F-12, F-17)",
    topic: "broken answers",
    async run(bench) {
      const people = await bench.people(8);
      const accounts = people.map((person) => new Account(person));
      const answered = (): number => accounts.reduce((sum, { added }) => sum + added, 0);
      await inBadWeather(
        bench,
        () => answered() > people.length,
        (isOver) => Promise.all(accounts.map((account) => account.write(bench, isOver))),
      );
      expect(answered(), "acknowledged increments").toBeGreaterThan(people.length);
      for (const account of accounts) await account.settle(bench);
    },
  },
  {
    name: "whatever happens on the way, nobody is served with a session whose end was acknowledged (F-01, F-12)",
    topic: "broken answers",
    async run(bench) {
      let ended = 0;
      const random = seededRandom(11);
      await inBadWeather(
        bench,
        () => ended > 5,
        (isOver) =>
          Promise.all(
            Array.from({ length: 6 }, async () => {
              while (!isOver()) ended += await leave(bench, random);
            }),
          ),
      );
      expect(ended, "sessions whose end was acknowledged").toBeGreaterThan(5);
    },
  },
];

/** Milliseconds more for a machine that is too busy to get enough done in the usual time. */
const EXTENSION = 20_000;

/**
 * Breaks the network in one way after the other, while something is going on, for a while and until there was enough
 * of it; at the end it is whole.
 */
async function inBadWeather(
  bench: FaultBench,
  isEnough: () => boolean,
  go: (isOver: () => boolean) => Promise<unknown>,
): Promise<void> {
  const { network } = bench;
  const random = seededRandom(7);
  const [first = () => network.reset(), ...others] = Object.values(BREAKS);
  const onlooker = await bench.person();
  const stopAt = performance.now() + effort(2500, 60_000);
  let isOver = false;
  const going = go(() => isOver);
  try {
    while (performance.now() < (isEnough() ? stopAt : stopAt + EXTENSION)) {
      const before = network.harmed;
      random.pick([first, ...others])(network);
      await bench.until(() => network.harmed > before + 2, DEADLINE);
      network.mend();
      await bench.recovers(onlooker);
    }
  } finally {
    isOver = true;
    await going;
  }
}

/** What one person wrote into the own session, and what was said about it. */
class Account {
  readonly #person: Person;
  readonly #stored: string[] = [];
  /** Increments that were acknowledged. */
  added = 0;
  #tried = 0;

  constructor(person: Person) {
    this.#person = person;
  }

  async write(bench: FaultBench, isOver: () => boolean): Promise<void> {
    for (let key = 0; !isOver(); key++) {
      const put = await bench.ask(this.#person, `/put/${key}`);
      if (put.served !== undefined) this.#stored.push(`key ${key}`);
      this.#tried += 1;
      const add = await bench.ask(this.#person, "/add");
      if (add.served !== undefined) this.added += 1;
    }
  }

  /** Compares what was said with what is there. */
  async settle(bench: FaultBench): Promise<void> {
    const { metadata } = (await bench.witness.get(this.#person.id)) ?? {};
    const lost = this.#stored.filter((key) => Reflect.get(metadata ?? {}, key) !== 1);
    expect(lost, "acknowledged and lost").toEqual([]);
    const n = metadata?.n;
    expect(n, "increments, those acknowledged at least").toBeGreaterThanOrEqual(this.added);
    expect(n, "increments, those tried at most").toBeLessThanOrEqual(this.#tried);
  }
}

/** Somebody comes, signs out, and comes back. Answers how many ends were acknowledged: 0 or 1. */
async function leave(bench: FaultBench, random: SeededRandom): Promise<number> {
  const person = await bench.person();
  let reply = await bench.ask(person);
  for (let visits = random.below(3); visits > 0; visits--) reply = await bench.ask(person);
  reply = await bench.fetch("/sign-out", person.cookie);
  if (reply.status !== 200) return 0;
  for (let visits = 0; visits < 5; visits++) {
    const { served } = await bench.fetch("/me", person.cookie);
    if (served === undefined) continue;
    if (served.id !== person.id && served.userId === undefined) continue;
    bench.violations.push(`${person.own} was served with ${served.id} after the end of it`);
  }
  return 1;
}
