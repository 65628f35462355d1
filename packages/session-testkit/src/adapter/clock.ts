import type { Clock } from "@kyb/session-core";

/** Stands still until a case moves it, so that every duration is exact. */
export class ManualClock implements Clock {
  #now = Date.UTC(2030, 0, 1);

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
