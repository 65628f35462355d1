import { describe, expect, it } from "vitest";
import type { StoreQuery } from "../../src/store-query.ts";
import { HOUR, MINUTE, SECOND } from "../support/clock.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { Bench, outcomeOf } from "./bench.ts";

function filled(): Bench {
  const bench = new Bench();
  for (const [id, userId] of [
    ["a", "ann"],
    ["b", undefined],
    ["c", "bob"],
    ["d", "ann"],
    ["e", undefined],
  ] as const) {
    bench.create(id, {
      userId,
      provisionalTimeout: id === "b" ? MINUTE : undefined,
      ipAddress: `10.0.0.${id === "e" ? 1 : 2}`,
    });
    bench.now += SECOND;
  }
  bench.request("c");
  bench.now += SECOND;
  bench.request("a");
  bench.end("d");
  bench.end("e");
  return bench;
}

describe("list in memory", () => {
  it("filters by status and user, sorts both ways, and knows the totals", () => {
    const bench = filled();
    const expected: [query: Partial<StoreQuery>, ids: string][] = [
      [{}, "a b c"],
      [{ status: "ended" }, "d e"],
      [{ status: "all" }, "a b c d e"],
      [{ status: "all", direction: "descending" }, "e d c b a"],
      [{ sort: "lastAccessTime" }, "b c a"],
      [{ sort: "lastAccessTime", status: "all" }, "b d e c a"],
      [{ sort: "lastAccessTime", status: "all", direction: "descending" }, "a c e d b"],
      [{ userId: "ann" }, "a"],
      [{ userId: "ann", status: "all" }, "a d"],
      [{ userId: "ann", status: "ended" }, "d"],
      [{ userId: "nobody", status: "all" }, ""],
    ];
    for (const [query, ids] of expected) {
      const page = bench.list(query);
      expect(page.records.map(({ state }) => state.id).join(" ")).toBe(ids);
      expect(page.total).toBe(ids === "" ? 0 : ids.split(" ").length);
      expect(page.nextCursor).toBeUndefined();
      for (const limit of [1, 2, 3]) {
        expect(bench.pages({ ...query, limit }).join(" ")).toBe(ids);
        expect(bench.list({ ...query, limit }).total).toBe(page.total);
      }
    }
  });

  it("has no cursor on the last page, also when that is full", () => {
    const bench = filled();
    expect(bench.list({ limit: 3 }).nextCursor).toBeUndefined();
    expect(bench.list({ limit: 2, userId: "ann", status: "all" }).nextCursor).toBeUndefined();
    const { nextCursor } = bench.list({ limit: 2, status: "all" });
    const last = bench.list({ limit: 3, status: "all", cursor: nextCursor });
    expect(last.records).toHaveLength(3);
    expect(last.nextCursor).toBeUndefined();
  });

  it("skips an offset, on the first page only", () => {
    const bench = filled();
    expect(bench.ids({ status: "all", offset: 3 })).toEqual(["d", "e"]);
    expect(bench.ids({ status: "all", offset: 9 })).toEqual([]);
    expect(bench.ids({ userId: "ann", status: "all", offset: 1 })).toEqual(["d"]);
    expect(bench.pages({ status: "all", offset: 1, limit: 2 })).toEqual(["b", "c", "d", "e"]);
  });

  it("never shows one that is due, ends it, and does not count it", () => {
    for (const userId of [undefined, "ann"]) {
      const bench = new Bench();
      bench.create("due", { userId: "ann", idleTimeout: MINUTE });
      bench.create("live", { userId: "ann" });
      bench.create("late", { userId: "ann", idleTimeout: MINUTE });
      bench.now += MINUTE - 1;
      expect(bench.list({ userId, limit: 1 }).total).toBe(3);
      bench.now += 1;
      expect(bench.list({ userId, limit: 1 })).toMatchObject({
        records: [{ state: { id: "live" } }],
        nextCursor: undefined,
        total: 1,
      });
      expect(bench.reasonOf("due")).toBe("idle");
      const all = bench.list({ userId, status: "all" });
      expect(all.records.map(({ endReason }) => endReason)).toEqual(["idle", "idle", undefined]);
    }
  });

  it("by creation never repeats or misses a session, whatever comes and goes between the pages", () => {
    for (const direction of ["ascending", "descending"] as const) {
      const bench = new Bench({ maxEnded: 0 });
      const random = new SeededRandom(17);
      let made = 0;
      const live: string[] = [];
      const churn = (): void => {
        for (let times = 0; times < 25; times++) {
          bench.now += random.pick([0, 0, 1]);
          const id = `s${random.below(1e9)}-${made++}`;
          bench.create(id, { provisionalTimeout: random.pick([undefined, HOUR]) });
          live.push(id);
          bench.request(random.pick(live));
          if (random.below(3) > 0) bench.end(live.splice(random.below(live.length), 1)[0] ?? "");
        }
      };
      for (let times = 0; times < 60; times++) churn();
      const atStart = new Set(live);
      const seen = bench.pages({ direction, limit: 37 }, churn);
      expect(new Set(seen).size).toBe(seen.length);
      const stayed = live.filter((id) => atStart.has(id));
      expect(stayed.length).toBeGreaterThan(100);
      expect(stayed.filter((id) => !seen.includes(id))).toEqual([]);
    }
  });

  it("by last access never repeats or misses one that does not move, also within one millisecond", () => {
    const bench = new Bench({ maxEnded: 0 });
    for (let index = 0; index < 600; index++)
      bench.create(`s${index}`, { userId: index % 3 === 0 ? "ann" : undefined });
    let round = 0;
    const seen = bench.pages({ sort: "lastAccessTime", limit: 41 }, () => {
      // The rows of the page that was just read go away.
      for (let times = 0; times < 10; times++)
        bench.end(bench.ids({ sort: "lastAccessTime", limit: 1 })[0] ?? "");
      round++;
    });
    expect(round).toBeGreaterThan(10);
    expect(seen.length).toBe(600);
    expect(new Set(seen).size).toBe(600);
  });

  it("gives each user's sessions in pages, many of them", () => {
    const bench = new Bench();
    for (let index = 0; index < 900; index++) {
      bench.now += index % 5;
      bench.create(`s${(index * 7919) % 900}`, { userId: index % 2 === 0 ? "ann" : "bob" });
    }
    for (const direction of ["ascending", "descending"] as const) {
      const all = bench.ids({ userId: "ann", limit: 1000, direction });
      expect(all).toHaveLength(450);
      expect(bench.pages({ userId: "ann", limit: 44, direction })).toEqual(all);
      expect(bench.ids({ userId: "ann", limit: 10, offset: 440, direction })).toEqual(
        all.slice(440),
      );
    }
  });

  it("refuses a cursor that it did not give, or gave for another order (R-60)", () => {
    const bench = filled();
    const { nextCursor = "" } = bench.list({ limit: 1 });
    expect(bench.ids({ cursor: nextCursor })).toEqual(["b", "c"]);
    const wrong = [
      "",
      "x",
      "%%%",
      `${nextCursor}=`,
      ` ${nextCursor}`,
      nextCursor.slice(0, -1),
      "bnVsbA",
      "W10",
      "e30",
    ];
    for (const cursor of wrong) {
      expect(outcomeOf(() => bench.list({ cursor }))).toBe("INVALID_ARGUMENT");
      expect(() => bench.list({ cursor })).toThrow("cursor");
    }
    expect(outcomeOf(() => bench.list({ cursor: nextCursor, direction: "descending" }))).toBe(
      "INVALID_ARGUMENT",
    );
    expect(outcomeOf(() => bench.list({ cursor: nextCursor, sort: "lastAccessTime" }))).toBe(
      "INVALID_ARGUMENT",
    );
    const forged = btoa('["createdAt","ascending",1,"a",-5]').replaceAll("=", "");
    expect(outcomeOf(() => bench.list({ cursor: forged }))).toBe("INVALID_ARGUMENT");
  });

  it("goes on from a cursor whose session is gone", () => {
    const bench = new Bench({ maxEnded: 0 });
    for (const id of ["a", "b", "c", "d"]) bench.create(id);
    const { nextCursor } = bench.list({ limit: 2 });
    bench.end("b");
    expect(bench.ids({ cursor: nextCursor })).toEqual(["c", "d"]);
  });
});

describe("search in memory", () => {
  it("finds an exact id, an exact address or the beginning of a user id, within the other filters", () => {
    const bench = filled();
    const expected: [query: Partial<StoreQuery>, ids: string][] = [
      [{ search: "c" }, "c"],
      [{ search: "d" }, ""],
      [{ search: "d", status: "all" }, "d"],
      [{ search: "c", userId: "ann" }, ""],
      [{ search: "10.0.0.2" }, "a b c"],
      [{ search: "10.0.0.1", status: "all" }, "e"],
      [{ search: "10.0.0" }, ""],
      [{ search: "an" }, "a"],
      [{ search: "an", status: "all" }, "a d"],
      [{ search: "10.0.0.2", userId: "ann", status: "all" }, "a d"],
      [{ search: "nn" }, ""],
    ];
    for (const [query, ids] of expected) {
      const page = bench.list(query);
      expect(page.records.map(({ state }) => state.id).join(" ")).toBe(ids);
      expect(page.total).toBeUndefined();
      expect(page.nextCursor).toBeUndefined();
    }
  });

  it("looks at a bounded number of sessions per page, and carries on with the cursor", () => {
    const bench = new Bench();
    for (let index = 0; index < 25_000; index++) {
      const match = index % 12_000 === 11_999;
      bench.create(`s${index}`, { ipAddress: match ? "203.0.113.9" : "192.0.2.1" });
      if (index % 100 === 0) bench.now += 1;
    }
    const query = { search: "203.0.113.9" };
    expect(bench.list(query)).toMatchObject({ records: [], total: undefined });
    expect(bench.list(query).nextCursor).toBeDefined();
    expect(bench.pages(query)).toEqual(["s11999", "s23999"]);
    expect(bench.pages({ ...query, direction: "descending", sort: "lastAccessTime" })).toEqual([
      "s23999",
      "s11999",
    ]);
    // An offset that the first page could not use up is not forgotten.
    expect(bench.pages({ ...query, offset: 1 })).toEqual(["s23999"]);
    expect(bench.pages({ ...query, offset: 2 })).toEqual([]);
  });
});
