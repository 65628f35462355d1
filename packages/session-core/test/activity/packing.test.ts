import { describe, expect, it } from "vitest";
import {
  ENTRY_WORDS,
  type EntryNumbers,
  isPackable,
  kindAt,
  MAX_KIND,
  pack,
  timestampAt,
  unpack,
} from "../../src/activity/packing.ts";

const PLAIN: EntryNumbers = {
  timestamp: 1_750_000_000_123,
  duration: 12.345,
  requestSize: 0,
  responseSize: 4321,
};

function roundTrip(entry: EntryNumbers, kind = 1): EntryNumbers {
  // Bits of another entry must not shine through.
  const words = new Uint32Array(3 * ENTRY_WORDS).fill(0xffff_ffff);
  pack(words, ENTRY_WORDS, kind, entry);
  expect(kindAt(words, ENTRY_WORDS)).toBe(kind);
  expect(timestampAt(words, ENTRY_WORDS)).toBe(entry.timestamp);
  expect(words[ENTRY_WORDS - 1]).toBe(0xffff_ffff);
  expect(words[2 * ENTRY_WORDS]).toBe(0xffff_ffff);
  return unpack(words, ENTRY_WORDS);
}

describe("packed entries", () => {
  it("come back as they were", () => {
    const entries: EntryNumbers[] = [
      PLAIN,
      { ...PLAIN, timestamp: 0, duration: 0, responseSize: 0 },
      { ...PLAIN, timestamp: 2 ** 43 - 1, responseSize: 2 ** 39 - 1 },
      { ...PLAIN, timestamp: 2 ** 32 },
      { ...PLAIN, timestamp: 2 ** 32 - 1 },
      { ...PLAIN, requestSize: 1 },
      { ...PLAIN, requestSize: 2 ** 17 - 1, responseSize: 2 ** 22 - 1 },
      { ...PLAIN, requestSize: 2 ** 17 - 1, responseSize: 0 },
    ];
    for (const entry of entries) {
      for (const kind of [0, 1, MAX_KIND]) {
        expect(isPackable(entry)).toBe(true);
        expect(roundTrip(entry, kind)).toEqual(entry);
      }
    }
  });

  it("keep durations to the microsecond up to a second, and to 0.0003 percent beyond", () => {
    for (const duration of [0.001, 0.25, 1.5, 99.999, 123.456, 1048.575]) {
      expect(roundTrip({ ...PLAIN, duration }).duration).toBe(duration);
    }
    for (let duration = 1000.001; duration < 2 ** 40; duration *= 1.37) {
      const kept = roundTrip({ ...PLAIN, duration }).duration;
      expect(Math.abs(kept - duration) / duration).toBeLessThan(3e-6);
    }
  });

  it("are refused where they would not come back: odd times, sizes and durations", () => {
    const odd: EntryNumbers[] = [
      { ...PLAIN, timestamp: -1 },
      { ...PLAIN, timestamp: 1.5 },
      { ...PLAIN, timestamp: 2 ** 43 },
      { ...PLAIN, timestamp: Number.NaN },
      { ...PLAIN, duration: -0.001 },
      { ...PLAIN, duration: Number.NaN },
      { ...PLAIN, duration: Number.POSITIVE_INFINITY },
      { ...PLAIN, responseSize: 2 ** 39 },
      { ...PLAIN, responseSize: -1 },
      { ...PLAIN, requestSize: 2 ** 17 },
      { ...PLAIN, requestSize: 1, responseSize: 2 ** 22 },
      { ...PLAIN, requestSize: 0.5 },
    ];
    for (const entry of odd) expect(isPackable(entry)).toBe(false);
  });
});
