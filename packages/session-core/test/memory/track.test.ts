import { describe, expect, it } from "vitest";
import type { TrackItem } from "../../src/track-batch.ts";
import { HOUR, MINUTE, SECOND } from "../support/clock.ts";
import { Bench, requestOf } from "./bench.ts";

describe("track in memory", () => {
  it("counts, moves the times, confirms and keeps the entry", () => {
    const bench = new Bench();
    bench.create("a", { provisionalTimeout: MINUTE });
    bench.now += SECOND;
    bench.request("a", {}, { endpoint: "/x", statusCode: 404 });
    expect(bench.read("a")).toMatchObject({
      lastAccessTime: bench.now,
      lastActivityTime: bench.now,
      requestCount: 1,
      confirmed: true,
    });
    expect(bench.timeline("a").entries).toMatchObject([{ endpoint: "/x", statusCode: 404 }]);
    expect(bench.store.metrics()).toMatchObject({ provisionalSessions: 0, totalRequests: 1 });
  });

  it("counts a user once who moves between sessions, comes back, or was last seen with an ended one", () => {
    const bench = new Bench();
    const activeUsers = (): number => bench.store.metrics().activeUsers;
    bench.create("a", { userId: "ann" });
    bench.create("b", { userId: "ann" });
    bench.request("a");
    bench.now += 2 * MINUTE;
    bench.request("b");
    expect(activeUsers()).toBe(1);
    bench.end("a");
    bench.end("b");
    bench.now += MINUTE;
    bench.request("b");
    expect(activeUsers()).toBe(1);
    bench.create("c", { userId: "ann" });
    bench.now += MINUTE;
    bench.request("c");
    bench.request("b");
    expect(activeUsers()).toBe(1);
    bench.signIn("c", { userId: "bob" });
    bench.request("c");
    expect(activeUsers()).toBe(2);
    bench.now += 5 * MINUTE;
    expect(activeUsers()).toBe(0);
  });

  it("does what an item says and no more", () => {
    const bench = new Bench();
    bench.create("a");
    const start = bench.now;
    bench.now += SECOND;
    const nothing: TrackItem = {
      id: "a",
      seenAt: bench.now,
      access: false,
      active: false,
      confirm: false,
      request: undefined,
      entry: undefined,
    };
    const before = bench.read("a");
    bench.track(nothing);
    expect(bench.read("a")).toEqual(before);
    bench.track({ ...nothing, access: true });
    expect(bench.read("a")).toEqual({ ...before, lastAccessTime: bench.now });
    bench.track({ ...nothing, active: true });
    expect(bench.read("a").lastActivityTime).toBe(bench.now);
    bench.track({ ...nothing, request: { endpoint: "/", statusCode: 200, duration: 1 } });
    expect(bench.read("a").requestCount).toBe(1);
    expect(bench.timeline("a").total).toBe(0);
    bench.track({ ...nothing, confirm: true });
    expect(bench.read("a").confirmed).toBe(true);
    expect(bench.read("a").state.createdAt).toBe(start);
  });

  it("applies a batch once, however often it comes (F-17)", () => {
    const bench = new Bench();
    bench.create("a");
    const send = (instance: string, sequence: number): void =>
      bench.store.track({
        instance,
        sequence,
        items: [requestOf("a", bench.now), requestOf("a", bench.now)],
      });
    for (const sequence of [1, 1, 2, 1, 2]) send("one", sequence);
    send("two", 1);
    expect(bench.read("a").requestCount).toBe(6);
    expect(bench.timeline("a").total).toBe(6);
    expect(bench.store.metrics().totalRequests).toBe(6);
    send("one", 0);
    send("one", 0);
    expect(bench.read("a").requestCount).toBe(10);
  });

  it("writes nothing to sessions that are gone; their requests count, and their users were there (R-26)", () => {
    const bench = new Bench();
    bench.create("ended", { userId: "ann" });
    bench.create("due", { userId: "bob" });
    bench.end("ended");
    const ended = bench.read("ended");
    bench.now += HOUR;
    bench.create("live");
    bench.track(...["unknown", "ended", "due", "live"].map((id) => requestOf(id, bench.now)));
    expect(bench.read("ended")).toEqual(ended);
    expect(bench.timeline("ended").total).toBe(0);
    expect(bench.read("due")).toMatchObject({ endReason: "idle", requestCount: 0 });
    expect(bench.timeline("due").total).toBe(0);
    expect(bench.read("live").requestCount).toBe(1);
    expect(bench.store.metrics()).toMatchObject({ totalRequests: 4, activeUsers: 2 });
  });
});

describe("the timeline in memory", () => {
  it("is paged by cursors that are good for this session alone (R-60)", () => {
    const bench = new Bench();
    for (const id of ["a", "b"]) {
      bench.create(id);
      for (let index = 0; index < 5; index++) bench.request(id, {}, { endpoint: `/${id}${index}` });
    }
    const first = bench.timeline("a", { limit: 2 });
    const cursor = first.nextCursor ?? "";
    bench.request("a");
    const second = bench.timeline("a", { limit: 9, cursor });
    expect(second.entries.map(({ endpoint }) => endpoint)).toEqual(["/a2", "/a1", "/a0"]);
    expect(second).toMatchObject({ nextCursor: undefined, total: 6 });
    for (const wrong of ["", "x", `${cursor}=`, "WyJhIiwtMV0", "WyJhIiwxLjVd"]) {
      expect(() => bench.timeline("a", { cursor: wrong })).toThrow("cursor");
    }
    expect(() => bench.timeline("b", { cursor })).toThrow("cursor");
  });

  it("keeps activityLimit entries per session and activityBytes in all, and counts what it drops (R-46)", () => {
    const bench = new Bench({ activityLimit: 3, activityBytes: 600 });
    for (let index = 0; index < 20; index++) bench.create(`s${index}`);
    for (let index = 0; index < 5; index++) bench.request("s0", {}, { endpoint: `/${index % 2}` });
    expect(bench.timeline("s0").entries.map(({ endpoint }) => endpoint)).toEqual([
      "/0",
      "/1",
      "/0",
    ]);
    bench.end("s0");
    for (let index = 1; index < 20; index++) bench.request(`s${index}`);
    const kept = Array.from({ length: 20 }, (_, index) => bench.timeline(`s${index}`).total);
    // The ended session's timeline made room; then the first ones to come have theirs, the rest is dropped.
    expect(kept[0]).toBe(0);
    expect(kept[1]).toBe(1);
    const dropped = kept.slice(1).filter((count) => count === 0).length;
    expect(dropped).toBeGreaterThan(0);
    expect(bench.store.metrics().activityDropped).toBe(dropped);
    expect(bench.store.metrics().totalRequests).toBe(24);
  });

  it("shows entries for activityRetention, to the millisecond, and does not count older ones (R-44)", () => {
    const bench = new Bench({ activityRetention: MINUTE });
    bench.create("a");
    bench.request("a", {}, { endpoint: "/old" });
    bench.now += 1;
    bench.request("a", {}, { endpoint: "/new" });
    bench.now += MINUTE - 2;
    expect(bench.timeline("a").total).toBe(2);
    bench.now += 1;
    expect(bench.timeline("a")).toMatchObject({ entries: [{ endpoint: "/new" }], total: 1 });
    bench.request("a", {}, { endpoint: "/newest" });
    expect(bench.timeline("a").total).toBe(2);
  });

  it("of an ended session is readable as long as the session is", () => {
    const bench = new Bench({ maxEnded: 1 });
    for (const id of ["a", "b"]) {
      bench.create(id);
      bench.request(id);
      bench.end(id);
    }
    expect(bench.store.activity("a", { limit: 1, offset: 0, cursor: undefined })).toBeUndefined();
    expect(bench.timeline("b").total).toBe(1);
    expect(
      bench.store.activity("nobody", { limit: 1, offset: 0, cursor: undefined }),
    ).toBeUndefined();
  });
});
