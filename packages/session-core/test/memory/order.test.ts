import { describe, expect, it } from "vitest";
import { Entry } from "../../src/memory/entry.ts";
import { Order, type OrderKey } from "../../src/memory/order.ts";
import { ACCESS_PLACE, LAST_ACCESS, Slots } from "../../src/memory/slots.ts";
import { stateOf } from "../support/records.ts";
import { SeededRandom } from "../support/seeded-random.ts";

/** An order by last access, and beside it a list that is sorted whenever somebody asks. */
class Compared {
  readonly random: SeededRandom;
  readonly slots = new Slots();
  readonly order = new Order(this.slots, LAST_ACCESS, ACCESS_PLACE);
  entries: Entry[] = [];
  #made = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  add(time: number): Entry {
    const id = `${this.random.below(1e9)}-${this.#made++}`;
    const entry = this.slots.take((page, slot) => new Entry(stateOf({ id }), page, slot));
    entry.lastAccessTime = time;
    this.order.add(entry);
    this.entries.push(entry);
    return entry;
  }

  remove(index: number): void {
    const [entry] = this.entries.splice(index, 1);
    if (entry === undefined) return;
    this.order.remove(entry);
    this.slots.giveBack(entry.slot);
  }

  touch(entry: Entry, time: number): void {
    if (time <= entry.lastAccessTime) return;
    entry.lastAccessTime = time;
    this.order.moved(entry);
  }

  sorted(): Entry[] {
    return [...this.entries].sort(
      (a, b) => a.lastAccessTime - b.lastAccessTime || (a.state.id < b.state.id ? -1 : 1),
    );
  }

  check(): void {
    const { order, random } = this;
    const sorted = this.sorted();
    expect(order.size).toBe(sorted.length);
    expect(order.first()?.state.id).toBe(sorted[0]?.state.id);
    expect(idsOf(order.walk(false, undefined))).toEqual(idsOf(sorted));
    expect(idsOf(order.walk(true, undefined))).toEqual(idsOf([...sorted].reverse()));
    if (sorted.length === 0) return;
    const from = random.pick(sorted);
    // A place of an entry, or beside one, where an entry may have been.
    const key: OrderKey = {
      time: from.lastAccessTime,
      id: random.pick([from.state.id, "", "5", "~"]),
    };
    const isAfter = (entry: Entry): boolean =>
      entry.lastAccessTime > key.time ||
      (entry.lastAccessTime === key.time && entry.state.id > key.id);
    expect(idsOf(order.walk(false, key))).toEqual(idsOf(sorted.filter(isAfter)));
    const before = sorted.filter((entry) => !isAfter(entry) && entry.state.id !== key.id);
    expect(idsOf(order.walk(true, key))).toEqual(idsOf(before.reverse()));
    const some = order.someUntil(key.time);
    expect(some.length).toBeGreaterThan(0);
    for (const entry of some) expect(entry.lastAccessTime <= key.time).toBe(true);
    const earliest = sorted[0]?.lastAccessTime ?? 0;
    expect(order.someUntil(earliest - 1)).toEqual([]);
  }
}

function idsOf(entries: Iterable<Entry | Entry[]>): string[] {
  return Array.from(entries)
    .flat()
    .map(({ state }) => state.id);
}

describe("Order", () => {
  it("agrees with a sorted list under additions, removals and touches in any order", () => {
    for (const seed of [1, 2, 3]) {
      const compared = new Compared(seed);
      const { random } = compared;
      let now = 1000;
      for (let step = 0; step < 12_000; step++) {
        const phase = Math.floor(step / 3000);
        now += random.pick([0, 0, 0, 1, 5]);
        const late = random.below(5) === 0 ? now - random.below(2000) : now;
        const action = random.below(10);
        if (action < (phase % 2 === 0 ? 5 : 2)) compared.add(late);
        else if (action < 6) compared.remove(random.below(compared.entries.length));
        else if (compared.entries.length > 0) compared.touch(random.pick(compared.entries), late);
        if (step % 400 === 399) compared.check();
      }
      while (compared.entries.length > 0) compared.remove(random.below(compared.entries.length));
      compared.check();
    }
  });

  it("holds any number of entries of one millisecond", () => {
    const compared = new Compared(4);
    for (let index = 0; index < 3000; index++) compared.add(5000);
    compared.check();
    for (let index = 0; index < 2500; index++)
      compared.remove(compared.random.below(compared.entries.length));
    compared.check();
  });

  it("takes entries from newest to oldest as well", () => {
    const compared = new Compared(5);
    for (let index = 0; index < 3000; index++) compared.add(10_000 - index);
    compared.check();
  });

  it("keeps its place when all entries are touched again and again", () => {
    const compared = new Compared(6);
    for (let index = 0; index < 1500; index++) compared.add(index);
    for (let round = 1; round <= 4; round++) {
      for (const entry of compared.entries)
        compared.touch(entry, round * 10_000 + compared.random.below(10_000));
      compared.check();
    }
  });

  it("takes entries between those of neighbours that became one", () => {
    const compared = new Compared(8);
    for (let index = 0; index < 256; index++) compared.add(index);
    for (let index = 0; index < 256; index++) compared.add(1000 + index);
    compared.add(5000);
    // Of both blocks 64 entries are left.
    for (let index = 511; index >= 0; index--) if (index % 256 >= 64) compared.remove(index);
    for (let index = 0; index < 600; index++) compared.add(300 + index);
    compared.check();
    for (const entry of compared.sorted().slice(0, 400))
      compared.touch(entry, entry.lastAccessTime + 500);
    compared.check();
  });

  it("fills the gaps of a stretch that entries left, in any order", () => {
    const compared = new Compared(9);
    for (let index = 0; index < 384; index++) compared.add(index);
    for (let index = 0; index < 10; index++) compared.add(1000 + index);
    for (let index = 0; index < 128; index++) compared.add(index / 2);
    for (let index = 0; index < 200; index++) compared.remove(index);
    for (let index = 0; index < 300; index++) compared.add(200 + index / 4);
    compared.check();
    for (let index = 0; index < 300; index++) compared.add(100 + index);
    compared.check();
  });

  it("is filled again after it was empty", () => {
    const compared = new Compared(7);
    for (let round = 0; round < 5; round++) {
      for (let index = 0; index < 700; index++) compared.add(9000 - 1000 * round + index);
      compared.check();
      while (compared.entries.length > 0) compared.remove(0);
      compared.check();
    }
  });
});
