import { DURATION_BUCKETS } from "./snapshot.ts";

/**
 * The duration in milliseconds that `percent` of the requests did not exceed, interpolated within its bucket;
 * 0 without any request. Beyond the last bound nothing is known but that it was exceeded: that bound.
 *
 * @param durations counts per bucket of {@link DURATION_BUCKETS}, one more for what lies beyond
 * @param percent 0 to 100
 */
export function percentile(durations: readonly number[], percent: number): number {
  let total = 0;
  for (const count of durations) total += count;
  if (total === 0) return 0;
  let left = (total * percent) / 100;
  let lower = 0;
  for (const [index, upper] of DURATION_BUCKETS.entries()) {
    const count = durations[index] ?? 0;
    if (count > 0 && left <= count) return lower + (upper - lower) * (left / count);
    left -= count;
    lower = upper;
  }
  return lower;
}
