import type { MaybePromise } from "./contract.ts";
import type { SeededRandom } from "./random.ts";

/** What a call may answer besides what the store said. */
export interface PassOptions {
  /** The caller repeats a call whose answer got lost: it may be lost before or after it was executed. */
  readonly mayBeLost?: boolean;
}

/** Something that may happen at any moment without a client: the clock moves. */
export interface Happening {
  readonly name: string;
  /** Of each turn. */
  readonly probability: number;
  run(): MaybePromise<void>;
}

interface Pending {
  readonly label: string;
  readonly mayBeLost: boolean;
  /** Starts the call; resolves, never rejects, when the store has answered. */
  readonly execute: () => Promise<void>;
  /** Hands the answer to the client. */
  readonly deliver: () => void;
  /** Hands a failure to the client instead. */
  readonly lose: () => void;
}

/**
 * Decides which of several clients goes next. Every call that a client makes waits here; the seeded choice says when
 * it is executed, whether others are executed at the same time, and when its answer reaches the client, which
 * may be long after others have changed what it says. The same seed makes the same choices.
 */
export class Scheduler {
  readonly #random: SeededRandom;
  readonly #happenings: readonly Happening[];
  readonly #lost: () => Error;
  readonly #waiting: Pending[] = [];
  readonly #answered: Pending[] = [];
  readonly #choices: string[] = [];

  /** `lost` makes the error that a client gets whose call or answer was lost. */
  constructor(
    random: SeededRandom,
    options: { readonly lost: () => Error; readonly happenings?: readonly Happening[] },
  ) {
    this.#random = random;
    this.#lost = options.lost;
    this.#happenings = options.happenings ?? [];
  }

  /** All choices so far, in order: `2.find` executed, `2.find>` answered, `2.find!` lost, `+` at the same time. */
  get schedule(): string {
    return this.#choices.join(" ");
  }

  /** Makes a call wait for its turn. `label` names client and method in the schedule. */
  pass<Result>(
    label: string,
    call: () => MaybePromise<Result>,
    { mayBeLost = false }: PassOptions = {},
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      let deliver = (): void => undefined;
      const execute = async (): Promise<void> => {
        try {
          const result = await call();
          deliver = () => resolve(result);
        } catch (error) {
          deliver = () => reject(error);
        }
      };
      const lose = (): void => reject(this.#lost());
      this.#waiting.push({ label, mayBeLost, execute, deliver: () => deliver(), lose });
    });
  }

  /** Runs the clients until all are done. Rejects with the first error that one of them did not handle. */
  async run(clients: readonly (() => Promise<void>)[]): Promise<void> {
    const ends = Promise.all(clients.map((client) => client()));
    // It is awaited below; until then an early failure must not count as unhandled.
    ends.catch(() => undefined);
    await quiet();
    while (this.#waiting.length + this.#answered.length > 0) {
      await this.#happen();
      const choice = this.#random.below(this.#waiting.length + this.#answered.length);
      if (choice < this.#waiting.length) await this.#executeSome(choice);
      else this.#deliver(choice - this.#waiting.length);
      await quiet();
    }
    await ends;
  }

  async #happen(): Promise<void> {
    for (const happening of this.#happenings) {
      if (!this.#random.chance(happening.probability)) continue;
      this.#choices.push(happening.name);
      await happening.run();
    }
  }

  /** Executes one call, and sometimes others while it is under way. Their answers wait to be delivered. */
  async #executeSome(first: number): Promise<void> {
    const running: Promise<void>[] = [];
    let choice = first;
    for (;;) {
      const [pending] = this.#waiting.splice(choice, 1);
      if (pending === undefined) break;
      if (pending.mayBeLost && this.#random.chance(0.1)) {
        this.#choices.push(`${pending.label}-`);
        pending.lose();
        break;
      }
      this.#choices.push(running.length > 0 ? `+${pending.label}` : pending.label);
      running.push(pending.execute());
      this.#answered.push(pending);
      if (this.#waiting.length === 0 || this.#random.chance(0.6)) break;
      for (let turns = this.#random.below(4); turns > 0; turns--) await Promise.resolve();
      choice = this.#random.below(this.#waiting.length);
    }
    await Promise.all(running);
  }

  #deliver(choice: number): void {
    const [pending] = this.#answered.splice(choice, 1);
    if (pending === undefined) return;
    const isLost = pending.mayBeLost && this.#random.chance(0.2);
    this.#choices.push(`${pending.label}${isLost ? "!" : ">"}`);
    if (isLost) pending.lose();
    else pending.deliver();
  }
}

/** Resolves when every client waits for a call or is done: a macrotask runs after all promise jobs. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
