import type { StoreBench } from "../bench.ts";
import type { SessionStore } from "../contract.ts";
import { IDLE } from "../fixtures.ts";
import { hashText, type SeededRandom, seededRandom } from "../random.ts";
import { type Happening, Scheduler } from "../scheduler.ts";
import { History, recordedStore } from "./history.ts";

/** The error of a call whose answer did not arrive. Whether it was executed, the caller cannot know. */
export class LostAnswer extends Error {
  override readonly name = "LostAnswer";
}

/** What may go wrong beside the order. */
export interface Weather {
  /** Calls and answers of commits get lost, and the callers repeat them. */
  readonly isLossy?: boolean;
  /** The clock moves in the middle of everything. */
  readonly isTimed?: boolean;
}

/** Where one interleaving takes place: a store of its own, a scheduler, and the history of both. */
export class Arena {
  readonly bench: StoreBench;
  readonly random: SeededRandom;
  readonly history: History;
  readonly scheduler: Scheduler;
  /** The store without the scheduler, for what comes before and after the race. */
  readonly direct: SessionStore;
  readonly #isLossy: boolean;

  constructor(bench: StoreBench, name: string, seed: number, weather: Weather) {
    const random = seededRandom(seed ^ hashText(name));
    this.bench = bench;
    this.random = random;
    this.history = new History(() => bench.now);
    this.scheduler = new Scheduler(random, {
      lost: () => new LostAnswer("The answer was lost."),
      happenings: weather.isTimed === true ? [passingTime(bench, random)] : [],
    });
    this.#isLossy = weather.isLossy === true;
    this.direct = recordedStore(bench.store, this.history, (_, call) => call(), false);
  }

  /** The store as the client with this number reaches it. */
  storeOf(client: number): SessionStore {
    return recordedStore(
      this.bench.store,
      this.history,
      (method, call, mayBeLost) => this.scheduler.pass(`${client}.${method}`, call, { mayBeLost }),
      this.#isLossy,
    );
  }

  /** A source of choices that no interleaving changes. */
  randomOf(client: number): SeededRandom {
    return seededRandom(this.random.below(2 ** 32) + client);
  }
}

/** Who races, and what they have to say about it afterwards. */
export interface Cast {
  /** What each client does, for the report. */
  readonly scripts: readonly string[];
  readonly clients: readonly (() => Promise<void>)[];
  /** Most sessions of one user. */
  readonly userLimit: number;
  /** Looks once more when all are done; answers what is wrong as the clients see it. */
  finish(): Promise<readonly string[]>;
}

function passingTime(bench: StoreBench, random: SeededRandom): Happening {
  return {
    name: "time",
    probability: 0.1,
    run: () => bench.advance(random.pick([1, IDLE / 2 - 1, IDLE / 2, IDLE - 1, IDLE])),
  };
}
