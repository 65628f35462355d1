import { describe, expect, it } from "vitest";
import { EndedQueue } from "../../src/memory/ended-queue.ts";
import { Entry } from "../../src/memory/entry.ts";
import { BatchMemory } from "../../src/memory/replays.ts";
import { SharedTexts } from "../../src/memory/shared-texts.ts";
import { Slots } from "../../src/memory/slots.ts";
import { UserIndex } from "../../src/memory/user-index.ts";
import { stateOf } from "../support/records.ts";
import { SeededRandom } from "../support/seeded-random.ts";

function entries(count: number, slots: Slots = new Slots()): Entry[] {
  return Array.from({ length: count }, (_, index) =>
    slots.take(
      (page, slot) => new Entry(stateOf({ id: `s${index}`, createdAt: index }), page, slot),
    ),
  );
}

function entryOf(slots: Slots, id: string, userId: string): Entry {
  return slots.take((page, slot) => new Entry(stateOf({ id, userId }), page, slot));
}

describe("Slots", () => {
  it("give every entry numbers of its own, and a new one none of a former one's", () => {
    const slots = new Slots();
    const make = (createdAt: number): Entry =>
      slots.take((page, slot) => new Entry(stateOf({ createdAt }), page, slot));
    const all = Array.from({ length: 3000 }, (_, index) => make(index));
    for (const [index, entry] of all.entries()) {
      entry.requestCount = index;
      entry.confirmed = index % 2 === 0;
      entry.lastActivityTime = index + 0.5;
    }
    for (const [index, entry] of all.entries()) {
      expect(slots.entry(entry.slot)).toBe(entry);
      expect(entry.lastAccessTime).toBe(index);
      expect(entry.lastActivityTime).toBe(index + 0.5);
      expect(entry.requestCount).toBe(index);
      expect(entry.confirmed).toBe(index % 2 === 0);
    }
    for (const entry of all.slice(0, 100)) slots.giveBack(entry.slot);
    for (let index = 0; index < 100; index++) {
      const entry = make(7);
      expect(entry).toMatchObject({ requestCount: 0, confirmed: false, logCount: 0, dueAt: 0 });
      expect(entry.lastActivityTime).toBe(7);
    }
  });

  it("count requests up to four billion, and no further", () => {
    const [entry] = entries(1);
    if (entry === undefined) throw new Error("No entry.");
    entry.requestCount = 0xffff_fffe;
    entry.requestCount++;
    entry.requestCount++;
    expect(entry.requestCount).toBe(0xffff_ffff);
  });
});

describe("UserIndex", () => {
  it("knows the sessions of each user, none, one and many", () => {
    const slots = new Slots();
    const index = new UserIndex(slots);
    const all = ["ann", "ann", "ann", "bob"].map((userId, slot) =>
      entryOf(slots, `s${slot}`, userId),
    );
    const [first, second, third, other] = all as [Entry, Entry, Entry, Entry];
    expect([index.count("ann"), index.of("ann")]).toEqual([0, []]);
    index.add("ann", first);
    expect(index.of("ann")).toEqual([first]);
    index.add("ann", second);
    index.add("ann", third);
    index.add("bob", other);
    expect(index.of("ann")).toHaveLength(3);
    expect([index.count("ann"), index.count("bob")]).toEqual([3, 1]);
    index.remove(third);
    index.remove(first);
    expect(index.of("ann")).toEqual([second]);
    index.remove(first);
    expect(index.count("ann")).toBe(1);
    index.remove(second);
    expect(index.of("ann")).toEqual([]);
    expect(index.of("bob")).toEqual([other]);
  });

  it("answers the same as a list of each user's sessions, whoever comes and goes", () => {
    const random = new SeededRandom(3);
    const slots = new Slots();
    const index = new UserIndex(slots);
    const expected = new Map<string, Entry[]>();
    for (let step = 0; step < 5000; step++) {
      const userId = `user ${random.below(1500)}`;
      const own = expected.get(userId) ?? [];
      expected.set(userId, own);
      if (own.length > 0 && random.below(2) === 0) {
        const [entry] = own.splice(random.below(own.length), 1) as [Entry];
        index.remove(entry);
        slots.giveBack(entry.slot);
      } else {
        const entry = entryOf(slots, `s${step}`, userId);
        index.add(userId, entry);
        own.push(entry);
      }
      expect(index.count(userId)).toBe(own.length);
      expect(index.of(userId)).toEqual(own);
    }
    for (const [userId, own] of expected) expect(index.of(userId)).toEqual(own);
  });

  it("lets the sessions of a detached user go while the same user has new ones", () => {
    const slots = new Slots();
    const index = new UserIndex(slots);
    const old = [0, 1, 2].map((number) => entryOf(slots, `old${number}`, "ann"));
    for (const entry of old) index.add("ann", entry);
    const number = index.detach("ann");
    expect([index.count("ann"), index.countOf(number)]).toEqual([0, 3]);
    const fresh = entryOf(slots, "new", "ann");
    index.add("ann", fresh);
    for (const entry of old) {
      expect(index.firstOf(number)).toBe(entry);
      index.remove(entry);
      expect(index.of("ann")).toEqual([fresh]);
    }
    index.remove(fresh);
    expect([index.find("ann"), index.detach("ann")]).toEqual([0, 0]);
  });
});

describe("EndedQueue", () => {
  it("lets the oldest go first, however many come and go", () => {
    const all = entries(5000);
    const queue = new EndedQueue();
    let taken = 0;
    for (const [index, entry] of all.entries()) {
      queue.push(entry);
      if (index % 3 === 0) continue;
      expect(queue.oldest()).toBe(all[taken]);
      expect(queue.shift()).toBe(all[taken++]);
    }
    expect(queue.size).toBe(5000 - taken);
    while (queue.size > 0) expect(queue.shift()).toBe(all[taken++]);
    expect(queue.shift()).toBeUndefined();
    expect(queue.oldest()).toBeUndefined();
  });

  it("finds the oldest one with a timeline, also after the front was cut off", () => {
    const all = entries(4000);
    const queue = new EndedQueue();
    for (const [index, entry] of all.entries()) {
      entry.logCount = index % 2;
      queue.push(entry);
    }
    for (let index = 1; index < 2000; index += 2) {
      const entry = queue.oldestWithLog();
      expect(entry).toBe(all[index]);
      if (entry !== undefined) entry.logCount = 0;
    }
    for (let index = 0; index < 2500; index++) queue.shift();
    expect(queue.oldestWithLog()).toBe(all[2501]);
    for (const entry of all) entry.logCount = 0;
    expect(queue.oldestWithLog()).toBeUndefined();
  });
});

describe("SharedTexts", () => {
  it("keep equal texts once, and forget a text with its last user", () => {
    const texts = new SharedTexts();
    expect(texts.take("a")).toBe("a");
    expect(texts.take("a")).toBe("a");
    texts.release("a");
    texts.release("b");
    expect(texts.size).toBe(1);
    texts.release("a");
    expect(texts.size).toBe(0);
  });
});

describe("BatchMemory", () => {
  it("accepts each number of a sender once, and only growing ones (F-17)", () => {
    const memory = new BatchMemory();
    expect([1, 1, 2, 1, 5, 3, 5, 6].map((sequence) => memory.accept("a", sequence))).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(memory.accept("b", 1)).toBe(true);
  });

  it("neither remembers nor compares the number 0", () => {
    const memory = new BatchMemory();
    expect(memory.accept("a", 0)).toBe(true);
    expect(memory.accept("a", 7)).toBe(true);
    expect(memory.accept("a", 0)).toBe(true);
    expect(memory.accept("a", 7)).toBe(false);
  });

  it("remembers a limited number of senders, and forgets the one that came first", () => {
    const memory = new BatchMemory();
    for (let index = 0; index < 1024; index++) memory.accept(`sender ${index}`, 5);
    expect(memory.accept("sender 0", 5)).toBe(false);
    expect(memory.accept("one more", 5)).toBe(true);
    expect(memory.accept("sender 1", 5)).toBe(false);
    expect(memory.accept("sender 0", 5)).toBe(true);
  });
});
