import { describe, expect, it } from "vitest";
import type { EndReason } from "../../src/record.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/clock.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { Bench, requestOf } from "./bench.ts";

/** Sweeps one millisecond before a deadline and at it. */
function endsAfter(bench: Bench, wait: number, id: string, reason: EndReason): void {
  bench.now += wait - 1;
  bench.sweep();
  expect(bench.reasonOf(id)).toBeUndefined();
  bench.now += 1;
  expect(bench.sweep()).toEqual({ ended: 1, more: false });
  expect(bench.reasonOf(id)).toBe(reason);
}

describe("expiry in memory (R-22)", () => {
  it("ends a session at its idle, absolute and provisional deadline, to the millisecond", () => {
    const bench = new Bench();
    bench.create("idle", { idleTimeout: HOUR });
    endsAfter(bench, HOUR, "idle", "idle");
    bench.create("absolute", { idleTimeout: 2 * HOUR, absoluteTimeout: HOUR });
    endsAfter(bench, HOUR, "absolute", "absolute");
    bench.create("provisional", { provisionalTimeout: MINUTE });
    endsAfter(bench, MINUTE, "provisional", "provisional");
  });

  it("follows a session that is touched, without ending it early or late", () => {
    const bench = new Bench();
    bench.create("a", { idleTimeout: HOUR, absoluteTimeout: DAY });
    for (let touches = 0; touches < 20; touches++) {
      bench.now += HOUR - 1;
      expect(bench.sweep().ended).toBe(0);
      bench.request("a");
    }
    endsAfter(bench, HOUR, "a", "idle");
  });

  it("finds a deadline that came nearer: a confirmation, a sign-in, a stored value", () => {
    const bench = new Bench();
    bench.create("confirmed", { provisionalTimeout: HOUR, idleTimeout: 10 * MINUTE });
    bench.track(requestOf("confirmed", bench.now, { access: false, active: false }));
    endsAfter(bench, 10 * MINUTE, "confirmed", "idle");
    bench.create("stored", { provisionalTimeout: HOUR, idleTimeout: 10 * MINUTE });
    bench.commit("stored", { ops: [{ kind: "set", key: "a", value: 1, bytes: 1 }] });
    endsAfter(bench, 10 * MINUTE, "stored", "idle");
    bench.create("signed in", { idleTimeout: HOUR });
    bench.signIn("signed in", { idleTimeout: MINUTE });
    endsAfter(bench, MINUTE, "signed in", "idle");
    bench.create("shorter", { idleTimeout: HOUR, absoluteTimeout: DAY });
    bench.signIn("shorter", { idleTimeout: HOUR, absoluteTimeout: HOUR - 1 });
    endsAfter(bench, HOUR - 1, "shorter", "absolute");
  });

  it("ends a due session that somebody meets, before any sweep", () => {
    const meet: ((bench: Bench) => unknown)[] = [
      (bench) => bench.commit("a"),
      (bench) => bench.end("a", "revoked"),
      (bench) => bench.store.endIfDue("a"),
      (bench) => bench.request("a"),
      (bench) => bench.list(),
      (bench) => bench.list({ userId: "ann" }),
      (bench) => bench.store.endUser("ann", "revoked", {}),
      (bench) => bench.create("b", {}, { maxSessions: 1 }),
    ];
    for (const call of meet) {
      const bench = new Bench();
      bench.create("a", { userId: "ann" });
      bench.now += HOUR;
      expect(bench.reasonOf("a")).toBeUndefined();
      call(bench);
      expect(bench.read("a")).toMatchObject({ endReason: "idle", endedAt: bench.now });
      expect(bench.heard("ended")).toEqual(["a"]);
    }
  });

  it("lets no touch revive a session, live past the absolute end, or turn a time back (R-26, R-38)", () => {
    const bench = new Bench();
    bench.create("a", { idleTimeout: HOUR, absoluteTimeout: 3 * HOUR });
    bench.now += MINUTE;
    bench.request("a");
    bench.track(requestOf("a", bench.now - 30 * SECOND));
    expect(bench.read("a")).toMatchObject({
      lastAccessTime: bench.now,
      lastActivityTime: bench.now,
    });
    bench.track(requestOf("a", bench.now + DAY));
    expect(bench.read("a").lastAccessTime).toBe(bench.read("a").state.absoluteEnd);
    bench.now += 3 * HOUR - MINUTE - 1;
    expect(bench.store.endIfDue("a")).toBeDefined();
    bench.now += 1;
    bench.track(requestOf("a", bench.now - HOUR));
    expect(bench.reasonOf("a")).toBe("absolute");
    const ended = bench.read("a");
    bench.request("a");
    expect(bench.read("a")).toEqual(ended);
    expect(bench.timeline("a").total).toBe(3);
  });

  it("ends everything after a month asleep, in slices that keep to their budget", () => {
    const bench = new Bench({ maxEnded: 10_000 });
    for (let index = 0; index < 3000; index++) {
      bench.create(`s${index}`, { idleTimeout: HOUR + index * SECOND, absoluteTimeout: 60 * DAY });
    }
    bench.create("long", { idleTimeout: 40 * DAY, absoluteTimeout: 60 * DAY });
    bench.now += 30 * DAY;
    bench.tick = 1;
    let [ended, slices] = [0, 0];
    for (let more = true; more; slices++) {
      const result = bench.sweep(5);
      expect(result.ended <= 7 * 16).toBe(true);
      ended += result.ended;
      more = result.more;
    }
    expect(ended).toBe(3000);
    expect(slices).toBeGreaterThan(20);
    expect(bench.ids()).toEqual(["long"]);
    expect(bench.store.metrics().endedByReason.idle).toBe(3000);
  });

  it("gets on with any budget, also with none", () => {
    const bench = new Bench();
    for (let index = 0; index < 200; index++) bench.create(`s${index}`);
    bench.now += HOUR;
    let calls = 0;
    while (bench.sweep(0).more) calls++;
    expect(calls).toBeGreaterThan(2);
    expect(bench.ids()).toEqual([]);
  });

  it("is right for thousands of sessions with all kinds of deadlines, touched at random", () => {
    const bench = new Bench({ maxEnded: 0 });
    const random = new SeededRandom(5);
    const deadlines = new Map<string, number>();
    for (let step = 0; step < 3000; step++) {
      bench.now += random.pick([0, 1, 1000, 30_000]);
      const idleTimeout = MINUTE * (1 + random.below(200));
      bench.create(`s${step}`, { idleTimeout, absoluteTimeout: 3 * DAY });
      deadlines.set(`s${step}`, bench.now + idleTimeout);
      for (let touches = 0; touches < 3; touches++) {
        const id = `s${random.below(step + 1)}`;
        const record = bench.store.find(id);
        const deadline = deadlines.get(id);
        if (record === undefined || deadline === undefined || deadline <= bench.now) continue;
        bench.request(id);
        deadlines.set(id, bench.now + record.state.idleTimeout);
      }
      if (random.below(3) > 0) continue;
      const due = [...deadlines].filter(([, deadline]) => deadline <= bench.now).map(([id]) => id);
      expect(bench.sweep()).toEqual({ ended: due.length, more: false });
      for (const id of due) {
        expect(bench.store.find(id)).toBeUndefined();
        deadlines.delete(id);
      }
    }
    expect(bench.list().total).toBe(deadlines.size);
  });

  it("goes by the deadlines when the clock goes back, and never beyond the absolute end (R-38, F-27)", () => {
    const bench = new Bench();
    bench.now += DAY;
    bench.create("of tomorrow", { idleTimeout: HOUR });
    bench.now -= DAY;
    bench.create("of today", { idleTimeout: HOUR });
    bench.request("of today");
    expect(bench.ids()).toEqual(["of today", "of tomorrow"]);
    expect(bench.ids({ sort: "lastAccessTime", direction: "descending" })).toEqual([
      "of tomorrow",
      "of today",
    ]);
    endsAfter(bench, HOUR, "of today", "idle");
    endsAfter(bench, DAY, "of tomorrow", "idle");
  });

  it("does not revive what has ended when the clock goes back", () => {
    const bench = new Bench();
    bench.create("a");
    bench.now += HOUR;
    bench.sweep();
    bench.now -= 2 * HOUR;
    bench.request("a");
    expect(bench.commit("a").status).toBe("gone");
    expect(bench.reasonOf("a")).toBe("idle");
    expect(bench.ids({ status: "ended" })).toEqual(["a"]);
  });
});

describe("ended sessions in memory", () => {
  it("are readable for endedRetention, to the millisecond, swept or not", () => {
    for (const sweeps of [true, false]) {
      const bench = new Bench({ endedRetention: HOUR });
      bench.create("a", { userId: "ann" });
      bench.end("a");
      bench.now += HOUR - 1;
      if (sweeps) bench.sweep();
      expect(bench.store.find("a")).toBeDefined();
      expect(bench.list({ status: "ended" }).total).toBe(1);
      expect(bench.timeline("a").total).toBe(0);
      bench.now += 1;
      if (sweeps) bench.sweep();
      expect(bench.store.find("a")).toBeUndefined();
      expect(bench.store.activity("a", { limit: 1, offset: 0, cursor: undefined })).toBeUndefined();
      expect(bench.list({ status: "all" })).toMatchObject({ records: [], total: 0 });
      expect(bench.list({ status: "ended", userId: "ann" })).toMatchObject({
        records: [],
        total: 0,
      });
    }
  });

  it("are at most maxEnded, the oldest go first", () => {
    const bench = new Bench({ maxEnded: 2 });
    for (const id of ["a", "b", "c", "d"]) bench.create(id);
    for (const id of ["c", "a", "d"]) bench.end(id);
    expect(bench.store.find("c")).toBeUndefined();
    expect(bench.ids({ status: "ended" })).toEqual(["a", "d"]);
    expect(bench.ids({ status: "all" })).toEqual(["a", "b", "d"]);
  });

  it("can be kept not at all", () => {
    const bench = new Bench({ maxEnded: 0 });
    bench.create("a", { userId: "ann" });
    bench.request("a");
    bench.end("a");
    expect(bench.store.find("a")).toBeUndefined();
    expect(bench.list({ status: "all" }).total).toBe(0);
    expect(bench.heard("ended")).toEqual(["a"]);
  });

  it("become fewer with the next sweep when a manager wants fewer", () => {
    const bench = new Bench();
    const settings = {
      now: () => bench.now,
      activityLimit: 10,
      activityBytes: 1000,
      activityRetention: undefined,
      endedRetention: HOUR,
      metrics: true,
    };
    for (let index = 0; index < 20; index++) {
      bench.create(`s${index}`);
      bench.end(`s${index}`);
    }
    bench.store.attach({ ...settings, maxEnded: 4 });
    bench.sweep();
    expect(bench.ids({ status: "ended" })).toEqual(["s16", "s17", "s18", "s19"]);
  });
});
