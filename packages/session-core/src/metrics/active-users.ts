import { ShardedMap } from "../internal/sharded-map.ts";
import { CountWindow } from "./window.ts";

const SECONDS = 300;

/**
 * How many distinct users were seen in the last 5 minutes, exact to the second. Each user is counted in the second
 * in which they were last seen, by a number that grows with time and is never 0. Who knows the user keeps it with the
 * user, where it costs a request one look; for all others it is kept here, in two generations of 5 minutes, so that
 * forgetting costs nothing.
 */
export class ActiveUsers {
  readonly #seen = new CountWindow(SECONDS, 1);
  #latest = 1;
  /** Seconds by which the clock has gone back, as far as that would have looked like a time before the window. */
  #back = 0;
  #current = new ShardedMap<number>();
  #previous = new ShardedMap<number>();
  /** First second of the current generation. */
  #since = 0;

  /** Counts a user whose number the caller keeps; 0: not seen yet. Answers the new number. */
  note(last: number, now: number): number {
    const second = this.#advance(now);
    if (last === second) return second;
    // One that has fallen out of the window changes nothing.
    if (last !== 0) this.#seen.change(last, -1);
    this.#seen.change(second, 1);
    return second;
  }

  /** Counts a user whose number is kept here. */
  add(userId: string, now: number): void {
    this.left(userId, this.note(this.came(userId), now));
  }

  /** The number that is kept here; from now on the caller keeps it. */
  came(userId: string): number {
    return this.#current.get(userId) ?? this.#previous.get(userId) ?? 0;
  }

  /** From now on the number is kept here. */
  left(userId: string, seen: number): void {
    if (seen > this.#latest - SECONDS) this.#current.set(userId, seen);
  }

  count(now: number): number {
    this.#advance(now);
    return this.#seen.total(this.#latest);
  }

  #advance(now: number): number {
    let second = Math.floor(now / 1000) + 1 + this.#back;
    // The window begins anew, and goes on from there: what was seen before then lies behind it, not in its future.
    if (second <= this.#latest - SECONDS) {
      this.#back += this.#latest + SECONDS - second;
      second = this.#latest + SECONDS;
    }
    this.#latest = this.#seen.advance(second);
    const age = this.#latest - this.#since;
    if (age < SECONDS) return this.#latest;
    this.#previous = age < 2 * SECONDS ? this.#current : new ShardedMap();
    this.#current = new ShardedMap();
    this.#since = this.#latest;
    return this.#latest;
  }
}
