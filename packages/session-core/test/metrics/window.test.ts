import { describe, expect, it } from "vitest";
import { CountWindow } from "../../src/metrics/window.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const MINUTE = 60_000;

describe("CountWindow", () => {
  it("counts what happened in the last stretches, and nothing else", () => {
    const random = new SeededRandom(3);
    const window = new CountWindow(60, 1000);
    const times: number[] = [];
    let now = 1_750_000_000_500;
    for (let step = 0; step < 3000; step++) {
      now += random.pick([0, 1, 400, 999, 5000, 59_000, 61_000]);
      if (random.below(2) === 0) {
        window.add(now);
        times.push(now);
      }
      const second = Math.floor(now / 1000);
      const expected = times.filter((time) => Math.floor(time / 1000) > second - 60).length;
      expect(window.total(now)).toBe(expected);
    }
  });

  it("forgets a count with the end of its last stretch, to the millisecond", () => {
    const window = new CountWindow(60, 1000);
    window.add(MINUTE + 999);
    expect(window.total(2 * MINUTE + 999 - 1000)).toBe(1);
    expect(window.total(2 * MINUTE)).toBe(0);
  });

  it("has a place for each stretch, so that it can be read by hour of the day", () => {
    const window = new CountWindow(24, 60 * MINUTE);
    window.add(25 * 60 * MINUTE);
    window.add(26 * 60 * MINUTE);
    window.add(26 * 60 * MINUTE);
    const counts = window.counts(26 * 60 * MINUTE);
    expect(counts[1]).toBe(1);
    expect(counts[2]).toBe(2);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it("goes on counting when the clock goes back a little, and begins anew when it goes back far (R-38)", () => {
    const window = new CountWindow(60, 1000);
    window.add(10 * MINUTE);
    window.add(10 * MINUTE - 5000);
    expect(window.total(10 * MINUTE - 5000)).toBe(2);
    expect(window.total(10 * MINUTE)).toBe(2);
    window.add(5 * MINUTE);
    expect(window.total(5 * MINUTE)).toBe(1);
    expect(window.total(10 * MINUTE)).toBe(0);
  });

  it("takes a month without any count in its stride", () => {
    const window = new CountWindow(60, 1000);
    window.add(0);
    expect(window.total(30 * 24 * 60 * MINUTE)).toBe(0);
    window.add(30 * 24 * 60 * MINUTE);
    expect(window.total(30 * 24 * 60 * MINUTE)).toBe(1);
  });

  it("works before 1970, where remainders are negative", () => {
    const window = new CountWindow(60, 1000);
    window.add(-1);
    expect(window.total(0)).toBe(1);
    expect(window.total(59_000)).toBe(0);
  });
});
