import { DURATION_BUCKETS } from "./snapshot.ts";

/** A histogram over {@link DURATION_BUCKETS}: one count per bucket, one more for what lies beyond. */
export class Durations {
  readonly #counts: number[] = new Array<number>(DURATION_BUCKETS.length + 1).fill(0);

  /** `duration` in milliseconds. A bucket holds what is up to and including its bound. */
  add(duration: number): void {
    let low = 0;
    let high = DURATION_BUCKETS.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (duration <= (DURATION_BUCKETS[middle] as number)) high = middle;
      else low = middle + 1;
    }
    this.#counts[low] = (this.#counts[low] as number) + 1;
  }

  snapshot(): number[] {
    return [...this.#counts];
  }
}
