import { describe, expect, it } from "vitest";
import { Durations } from "../../src/metrics/durations.ts";
import { percentile } from "../../src/metrics/percentiles.ts";
import { DURATION_BUCKETS } from "../../src/metrics/snapshot.ts";

function counted(...durations: number[]): number[] {
  const histogram = new Durations();
  for (const duration of durations) histogram.add(duration);
  return histogram.snapshot();
}

describe("Durations", () => {
  it("has one count per bucket, each up to and including its bound, and one for what lies beyond", () => {
    expect(counted()).toEqual(new Array(DURATION_BUCKETS.length + 1).fill(0));
    for (const [index, bound] of DURATION_BUCKETS.entries()) {
      expect(counted(bound)[index]).toBe(1);
      expect(counted(bound + 0.001)[index + 1]).toBe(1);
    }
    expect(counted(0)[0]).toBe(1);
    expect(counted(1e9).at(-1)).toBe(1);
  });
});

describe("percentile", () => {
  it("is 0 without any request", () => {
    expect(percentile(counted(), 50)).toBe(0);
    expect(percentile([], 50)).toBe(0);
  });

  it("interpolates within the bucket", () => {
    // Ten requests between 8 and 12 ms: nobody knows more than that.
    const durations = counted(...new Array<number>(10).fill(10));
    expect(percentile(durations, 50)).toBe(10);
    expect(percentile(durations, 100)).toBe(12);
    expect(percentile(durations, 0)).toBe(8);
    expect(percentile(durations, 25)).toBe(9);
  });

  it("finds the bucket that the request lies in", () => {
    const durations = counted(...new Array<number>(98).fill(1), 100, 5000);
    expect(percentile(durations, 50)).toBeLessThan(1.001);
    expect(percentile(durations, 98)).toBe(1);
    expect(percentile(durations, 99)).toBe(128);
    expect(percentile(durations, 100)).toBe(6144);
  });

  it("answers the last bound for what lies beyond it", () => {
    expect(percentile(counted(1e6, 1e6), 50)).toBe(65_536);
  });

  it("is never wrong by more than one bucket", () => {
    const values = Array.from({ length: 1000 }, (_, index) => 0.3 * 1.012 ** index);
    const durations = counted(...values);
    for (const percent of [1, 10, 50, 90, 95, 99]) {
      const exact = values[percent * 10 - 1] ?? 0;
      expect(percentile(durations, percent) / exact).toBeGreaterThan(0.6);
      expect(percentile(durations, percent) / exact).toBeLessThan(1.6);
    }
  });
});
