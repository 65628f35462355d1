import type { Clock } from "../../src/environment.ts";

/** Noon, so that no test stands near the change of an hour or a day. */
export const START: number = Date.UTC(2030, 0, 1, 12);

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = START;
  /** Another origin than the wall clock's, so that nobody mixes them up. */
  #monotonic = 5000;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#monotonic += milliseconds;
  }
}
