import { describe, expect, it } from "vitest";
import { NumberPool } from "../../src/internal/number-pool.ts";
import { SeededRandom } from "../support/seeded-random.ts";

function poolOf(size: number): { pool: NumberPool; open: Set<number> } {
  const open = new Set<number>();
  const pool = new NumberPool(size, {
    open: (chunk) => {
      expect(open.has(chunk)).toBe(false);
      open.add(chunk);
    },
    close: (chunk) => {
      expect(open.delete(chunk)).toBe(true);
    },
  });
  return { pool, open };
}

describe("NumberPool", () => {
  it("never hands out a number that is in use, and only numbers of open chunks", () => {
    const { pool, open } = poolOf(8);
    const random = new SeededRandom(1);
    const used: number[] = [];
    for (let step = 0; step < 5000; step++) {
      // Grows to some hundred, shrinks to some, again and again.
      const growing = Math.floor(step / 500) % 2 === 0;
      if (used.length === 0 || random.below(3) < (growing ? 2 : 1)) {
        const number = pool.take();
        expect(used.includes(number)).toBe(false);
        expect(open.has(Math.floor(number / 8))).toBe(true);
        used.push(number);
      } else {
        const [number] = used.splice(random.below(used.length), 1);
        pool.giveBack(number ?? -1);
      }
    }
  });

  it("opens no more chunks than its numbers need", () => {
    const { pool, open } = poolOf(4);
    for (let index = 0; index < 12; index++) expect(pool.take()).toBe(index);
    expect(open.size).toBe(3);
    for (const number of [1, 6, 11]) pool.giveBack(number);
    for (let index = 0; index < 3; index++) pool.take();
    expect(open.size).toBe(3);
  });

  it("closes chunks of which nothing is in use, but one, and uses their numbers again", () => {
    const { pool, open } = poolOf(4);
    for (let index = 0; index < 16; index++) pool.take();
    for (let number = 0; number < 12; number++) pool.giveBack(number);
    expect(open.size).toBe(2);
    expect(open.has(3)).toBe(true);
    for (let index = 0; index < 12; index++) expect(pool.take()).toBeLessThan(16);
    expect(open.size).toBe(4);
  });

  it("does not open and close a chunk again and again for one number", () => {
    const { pool, open } = poolOf(2);
    pool.take();
    pool.take();
    const number = pool.take();
    for (let round = 0; round < 5; round++) {
      pool.giveBack(number);
      expect(open.size).toBe(2);
      expect(pool.take()).toBe(number);
    }
  });
});
