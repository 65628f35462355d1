import { ShardedMap } from "../internal/sharded-map.ts";
import { CountWindow } from "./window.ts";

const SECONDS = 300;

/**
 * How many distinct users were seen in the last 5 minutes, exact to the second. Each user is counted in the second
 * in which they were last seen. Who was seen when is kept in two generations of 5 minutes, so that forgetting costs
 * nothing.
 */
export class ActiveUsers {
  readonly #seen = new CountWindow(SECONDS, 1000);
  #current = new ShardedMap<number>();
  #previous = new ShardedMap<number>();
  /** First second of the current generation. */
  #since = Number.NEGATIVE_INFINITY;

  add(userId: string, now: number): void {
    const second = this.#advance(now);
    const last = this.#current.get(userId) ?? this.#previous.get(userId);
    if (last === second) return;
    if (last !== undefined) this.#seen.change(last, -1);
    this.#seen.change(second, 1);
    this.#current.set(userId, second);
  }

  count(now: number): number {
    this.#advance(now);
    return this.#seen.total(now);
  }

  #advance(now: number): number {
    const second = this.#seen.advance(now);
    const age = second - this.#since;
    if (age >= 0 && age < SECONDS) return second;
    // Before the generation: the window was started anew, and nobody has been seen yet.
    this.#previous = age >= SECONDS && age < 2 * SECONDS ? this.#current : new ShardedMap();
    this.#current = new ShardedMap();
    this.#since = second;
    return second;
  }
}
