/**
 * Counts per stretch of time, for the latest stretches: 60 seconds, 24 hours. What is older falls out by itself, and
 * the sum is always at hand.
 *
 * A clock that goes back by less than the window counts in the latest stretch; one that goes back further starts the
 * window anew, as what it holds lies in the future.
 */
export class CountWindow {
  readonly #unit: number;
  readonly #counts: number[];
  #latest = Number.NEGATIVE_INFINITY;
  #total = 0;

  /** `unit` is the length of a stretch in milliseconds. */
  constructor(length: number, unit: number) {
    this.#unit = unit;
    this.#counts = new Array<number>(length).fill(0);
  }

  /** The number of the stretch that `now` is counted in. */
  advance(now: number): number {
    const { length } = this.#counts;
    const stretch = Math.floor(now / this.#unit);
    if (stretch === this.#latest) return stretch;
    if (stretch < this.#latest && stretch > this.#latest - length) return this.#latest;
    if (stretch < this.#latest || stretch >= this.#latest + length) {
      this.#counts.fill(0);
      this.#total = 0;
    } else {
      for (let passed = this.#latest + 1; passed <= stretch; passed++) this.#clear(passed);
    }
    this.#latest = stretch;
    return stretch;
  }

  /** Counts in the stretch of `now`. */
  add(now: number): void {
    this.change(this.advance(now), 1);
  }

  /** Changes the count of a stretch; one that has fallen out is not there any more. */
  change(stretch: number, by: number): void {
    const { length } = this.#counts;
    if (stretch <= this.#latest - length || stretch > this.#latest) return;
    const index = mod(stretch, length);
    this.#counts[index] = (this.#counts[index] as number) + by;
    this.#total += by;
  }

  total(now: number): number {
    this.advance(now);
    return this.#total;
  }

  /** A copy of the counts; the stretch with number n is at n modulo the length. */
  counts(now: number): number[] {
    this.advance(now);
    return [...this.#counts];
  }

  #clear(stretch: number): void {
    const index = mod(stretch, this.#counts.length);
    this.#total -= this.#counts[index] as number;
    this.#counts[index] = 0;
  }
}

/** The remainder that is never negative. */
function mod(value: number, by: number): number {
  return ((value % by) + by) % by;
}
