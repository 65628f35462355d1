import { describe, expect, it } from "vitest";
import { IdTable } from "../../src/memory/id-table.ts";
import { SeededRandom } from "../support/seeded-random.ts";

/** A table, and the ids of its slots. */
function tableOf(): { table: IdTable; ids: (string | undefined)[] } {
  const ids: (string | undefined)[] = [];
  return { table: new IdTable((slot) => ids[slot] ?? ""), ids };
}

describe("IdTable", () => {
  it("answers the same as a Map, whoever comes and goes", () => {
    const random = new SeededRandom(5);
    const { table, ids } = tableOf();
    const expected = new Map<string, number>();
    for (let step = 1; step <= 60_000; step++) {
      // Grows to some thousand ids, then shrinks to few.
      const id = `id ${random.below(8000)}`;
      const slot = expected.get(id);
      const isGrowing = step < 30_000;
      if (slot === undefined && (isGrowing || random.below(8) === 0)) {
        ids[step] = id;
        table.add(id, step);
        expected.set(id, step);
      } else if (slot !== undefined && (!isGrowing || random.below(4) === 0)) {
        table.delete(id, slot);
        ids[slot] = undefined;
        expected.delete(id);
      }
      expect(table.get(id)).toBe(expected.get(id) ?? 0);
    }
    expect(expected.size).toBeLessThan(2000);
    for (let number = 0; number < 8000; number++) {
      expect(table.get(`id ${number}`)).toBe(expected.get(`id ${number}`) ?? 0);
    }
  });

  it("tells ids apart whose hashes are the same", () => {
    const { table, ids } = tableOf();
    const { first, second } = collision();
    for (const [slot, id] of [first, second].entries()) {
      ids[slot + 1] = id;
      table.add(id, slot + 1);
    }
    expect([table.get(first), table.get(second)]).toEqual([1, 2]);
    table.delete(first, 1);
    expect([table.get(first), table.get(second)]).toEqual([0, 2]);
    table.delete(second, 2);
    expect([table.get(first), table.get(second)]).toEqual([0, 0]);
  });
});

/** Two ids with the same FNV-1a hash of 32 bits; among 200,000 there are several such pairs. */
function collision(): { first: string; second: string } {
  const seen = new Map<number, string>();
  for (let number = 0; number < 400_000; number++) {
    const id = `k${number}`;
    let hash = 0x811c_9dc5;
    for (let index = 0; index < id.length; index++) {
      hash = Math.imul(hash ^ id.charCodeAt(index), 0x0100_0193);
    }
    const first = seen.get(hash);
    if (first !== undefined) return { first, second: id };
    seen.set(hash, id);
  }
  throw new Error("No two ids have the same hash.");
}
