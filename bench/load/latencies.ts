/** Milliseconds of one bin. */
const WIDTH = 0.01;
const BINS = 100_000;

/** Latencies counted in bins of 10 µs, up to one second. */
export class Latencies {
  readonly #bins = new Uint32Array(BINS);
  count = 0;

  add(milliseconds: number): void {
    const bin = Math.min(BINS - 1, Math.floor(milliseconds / WIDTH));
    this.#bins[bin] = (this.#bins[bin] ?? 0) + 1;
    this.count += 1;
  }

  /** Milliseconds that a share of all requests did not exceed. */
  percentile(share: number): number {
    const wanted = this.count * share;
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.#bins[bin] ?? 0;
      if (seen >= wanted) return (bin + 1) * WIDTH;
    }
    return BINS * WIDTH;
  }
}
