import { describe, expect, it } from "vitest";
import type { UserLimit } from "../../src/new-session.ts";
import { HOUR, MINUTE, SECOND } from "../support/clock.ts";
import { Bench, requestOf } from "./bench.ts";

const REFUSED = { status: "refused", limit: "sessions" };

describe("maxSessions in memory (R-80)", () => {
  it("lets provisional sessions go first, by their creation, whatever was seen of them", () => {
    const bench = new Bench();
    bench.create("anonymous");
    for (const id of ["first", "second", "third"]) {
      bench.now += SECOND;
      bench.create(id, { provisionalTimeout: MINUTE });
    }
    bench.track(requestOf("first", bench.now, { confirm: false }));
    bench.create("new", {}, { maxSessions: 4 });
    expect(bench.reasonOf("first")).toBe("limit");
    bench.request("second");
    bench.create("newer", {}, { maxSessions: 4 });
    expect(bench.reasonOf("third")).toBe("limit");
    expect(bench.ids()).toEqual(["anonymous", "second", "new", "newer"]);
  });

  it("then the anonymous one that was used least recently, and never a signed-in one", () => {
    const bench = new Bench();
    for (const id of ["a", "b", "c"]) {
      bench.create(id);
      bench.now += SECOND;
    }
    bench.create("ann", { userId: "ann" });
    bench.now += SECOND;
    bench.request("a");
    bench.request("b", { active: false });
    const limits = { maxSessions: 4 };
    bench.create("d", {}, limits);
    expect(bench.reasonOf("c")).toBe("limit");
    bench.now += SECOND;
    bench.request("a");
    bench.create("e", { userId: "bob" }, limits);
    expect(bench.reasonOf("b")).toBe("limit");
    bench.create("f", { userId: "bob" }, limits);
    bench.create("g", { userId: "bob" }, limits);
    expect(bench.ids().sort()).toEqual(["ann", "e", "f", "g"]);
    expect(bench.create("h", {}, limits)).toEqual(REFUSED);
    expect(bench.create("h", { userId: "ann" }, limits)).toEqual(REFUSED);
  });

  it("ends what is due before anybody else, with its own reason", () => {
    const bench = new Bench();
    bench.create("due", { userId: "ann", idleTimeout: MINUTE });
    bench.create("provisional", { provisionalTimeout: HOUR });
    bench.now += MINUTE;
    expect(bench.create("new", {}, { maxSessions: 2 }).status).toBe("created");
    expect(bench.reasonOf("due")).toBe("idle");
    expect(bench.ids()).toEqual(["provisional", "new"]);
  });

  it("refuses without having ended anybody, if that would not have been enough", () => {
    const bench = new Bench();
    for (const id of ["ann", "bob", "eve"]) bench.create(id, { userId: id });
    bench.create("anonymous");
    expect(bench.create("new", {}, { maxSessions: 3 })).toEqual(REFUSED);
    expect(bench.store.find("new")).toBeUndefined();
    expect(bench.heard("ended")).toEqual([]);
    expect(bench.store.metrics().totalSessions).toBe(4);
    expect(bench.create("new", {}, { maxSessions: 4 }).status).toBe("created");
    expect(bench.reasonOf("anonymous")).toBe("limit");
  });

  it("lets as many go as are too many when the limit was lowered", () => {
    const bench = new Bench();
    for (let index = 0; index < 10; index++) bench.create(`s${index}`);
    bench.create("new", {}, { maxSessions: 3 });
    expect(bench.list().total).toBe(3);
    expect(bench.create("none", {}, { maxSessions: 0 })).toEqual(REFUSED);
    expect(bench.list().total).toBe(3);
  });

  it("never lets in more than there may be, nor loses count, in a flood", () => {
    const bench = new Bench({ maxEnded: 10 });
    for (let index = 0; index < 5000; index++) {
      if (index % 10 === 0) bench.now += 1;
      bench.create(`s${index}`, { provisionalTimeout: MINUTE }, { maxSessions: 700 });
      if (index % 7 === 0) bench.request(`s${index}`);
    }
    const metrics = bench.store.metrics();
    expect(metrics).toMatchObject({ activeSessions: 700, totalSessions: 5000, peakSessions: 700 });
    expect(metrics.endedByReason.limit).toBe(4300);
    expect(bench.pages({ limit: 1000 })).toHaveLength(700);
  });
});

describe("maxSessionsPerUser in memory (R-25)", () => {
  const policy = (name: UserLimit["policy"], max: number): { user: UserLimit } => ({
    user: { max, policy: name },
  });

  function three(): Bench {
    const bench = new Bench();
    for (const id of ["a", "b", "c"]) {
      bench.create(id, { userId: "ann" });
      bench.now += SECOND;
    }
    bench.create("other", { userId: "bob" });
    bench.now += SECOND;
    bench.request("a", { active: false });
    bench.now += SECOND;
    return bench;
  }

  it("lets the oldest go, or the one that was used least recently, or refuses", () => {
    const oldest = three();
    oldest.create("d", { userId: "ann" }, policy("evict-oldest", 3));
    expect(oldest.reasonOf("a")).toBe("limit");
    expect(oldest.ids({ userId: "ann" })).toEqual(["b", "c", "d"]);
    const leastRecent = three();
    leastRecent.create("d", { userId: "ann" }, policy("evict-least-recent", 2));
    expect(leastRecent.ids({ userId: "ann" })).toEqual(["a", "d"]);
    const reject = three();
    const before = reject.read("a");
    expect(reject.create("d", { userId: "ann" }, policy("reject", 3))).toEqual({
      status: "refused",
      limit: "user",
    });
    expect(reject.create("d", { userId: "ann" }, policy("reject", 4)).status).toBe("created");
    expect(reject.read("a")).toEqual(before);
  });

  it("holds at a sign-in, where the session itself neither counts nor goes", () => {
    const bench = three();
    bench.create("old");
    for (const [name, left] of [
      ["evict-oldest", ["c", "old"]],
      ["evict-least-recent", ["c", "old"]],
      ["reject", ["c", "old"]],
    ] as const) {
      const { user } = policy(name, 2);
      expect(bench.signIn("old", { userId: "ann", limit: user }).status).toBe("applied");
      expect(bench.ids({ userId: "ann" })).toEqual(left);
      bench.now += SECOND;
    }
    bench.create("more");
    const before = bench.read("more");
    const { user } = policy("reject", 2);
    expect(bench.signIn("more", { userId: "ann", limit: user })).toEqual({
      status: "refused",
      limit: "user",
    });
    expect(bench.read("more")).toEqual(before);
    expect(bench.heard("ended")).toEqual(["a", "b"]);
  });

  it("does not count a session that is due, and ends it for its age", () => {
    const bench = new Bench();
    bench.create("due", { userId: "ann", idleTimeout: MINUTE });
    bench.now += MINUTE;
    expect(bench.create("new", { userId: "ann" }, policy("reject", 1)).status).toBe("created");
    expect(bench.reasonOf("due")).toBe("idle");
  });

  it("refuses for want of room before it ends one of the user's", () => {
    const bench = new Bench();
    for (const id of ["a", "b", "c"]) bench.create(id, { userId: id });
    const user: UserLimit = { max: 1, policy: "evict-oldest" };
    expect(bench.create("d", { userId: "a" }, { user, maxSessions: 2 })).toEqual(REFUSED);
    expect(bench.heard("ended")).toEqual([]);
    // One goes, so there is room for one.
    expect(bench.create("d", { userId: "a" }, { user, maxSessions: 3 }).status).toBe("created");
    expect(bench.ids()).toEqual(["b", "c", "d"]);
  });

  it("holds through 64 sign-ins and creations in turn (F-07)", () => {
    const bench = new Bench();
    const user: UserLimit = { max: 5, policy: "evict-oldest" };
    for (let index = 0; index < 64; index++) {
      bench.now += 1;
      if (index % 2 === 0) bench.create(`s${index}`, { userId: "ann" }, { user });
      else {
        bench.create(`s${index}`);
        bench.signIn(`s${index}`, { userId: "ann", limit: user });
      }
      expect(bench.list({ userId: "ann" }).records.length <= 5).toBe(true);
    }
    expect(bench.ids({ userId: "ann" })).toEqual(["s59", "s60", "s61", "s62", "s63"]);
    expect(new Set(bench.heard("ended")).size).toBe(59);
  });
});
