import { describe, expect, it } from "vitest";
import type { EndUserResult, MaybePromise } from "../../src/store.ts";
import { hashOf, newSession } from "../support/records.ts";
import { Bench } from "./bench.ts";

const CROWD = 1000;
const NAMES: readonly string[] = Array.from({ length: CROWD }, (_, index) => `c${index}`);

/** A store whose clock runs 1 ms with each look, so that slices are short, with a crowd of one user in it. */
function crowded(options: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench(options);
  bench.tick = 1;
  for (const name of NAMES) bench.create(name, { userId: "ann" });
  bench.create("other", { userId: "bob" });
  bench.events.length = 0;
  return bench;
}

/** Begins to end everything of the user, and stops after the first slice: most sessions are still to be looked at. */
function begin(bench: Bench, except?: string): Promise<EndUserResult> {
  const answer: MaybePromise<EndUserResult> = bench.store.endUser("ann", "revoked", { except });
  if (!(answer instanceof Promise)) throw new Error("The crowd was ended in one slice.");
  expect(bench.heard("ended").length).toBeLessThan(CROWD / 2);
  return answer;
}

describe("ending a user with very many sessions (F-08)", () => {
  it("ends all of them at one instant for readers, and each with one event", async () => {
    const bench = crowded({ maxEnded: 5000 });
    const answer = begin(bench);
    // The numbers first: a list lets those that it meets leave.
    expect(bench.store.metrics()).toMatchObject({ activeSessions: 1, signedInSessions: 1 });
    expect(bench.list({}).total).toBe(1);
    expect(bench.list({ userId: "ann" })).toMatchObject({ records: [], total: 0 });
    expect(bench.ids({})).toEqual(["other"]);
    expect(bench.read("c999")).toMatchObject({ endedAt: bench.now, endReason: "revoked" });
    expect(bench.end("c998")).toBe("gone");
    expect(bench.commit("c997").status).toBe("gone");
    expect(bench.store.endIfDue("c996")).toBeUndefined();
    expect(bench.timeline("c995").total).toBe(0);
    const { ended } = await answer;
    expect([...ended].sort()).toEqual([...NAMES].sort());
    expect(bench.heard("ended").sort()).toEqual([...NAMES].sort());
    expect(bench.list({ status: "ended" }).total).toBe(CROWD);
    expect(bench.store.metrics()).toMatchObject({
      activeSessions: 1,
      totalLength: 0,
      endedByReason: { revoked: CROWD },
    });
  });

  it("notes nothing of a session that has ended with the others", async () => {
    const bench = crowded({ maxEnded: 5000 });
    const answer = begin(bench);
    const at = bench.now;
    bench.now += 5;
    bench.request("c999");
    await answer;
    expect(bench.read("c999")).toMatchObject({ endedAt: at, requestCount: 0, lastAccessTime: at });
    expect(bench.timeline("c999").total).toBe(0);
  });

  it("spares the excepted session, and what begins after it", async () => {
    const bench = crowded();
    const answer = begin(bench, "c500");
    bench.create("late", { userId: "ann" });
    bench.signIn("other", { userId: "ann" });
    const spared = ["c500", "late", "other"];
    expect(bench.ids({ userId: "ann" }).sort()).toEqual(spared);
    const { ended } = await answer;
    expect(ended).toHaveLength(CROWD - 1);
    expect(ended).not.toContain("c500");
    expect(bench.ids({ userId: "ann" }).sort()).toEqual(spared);
    expect([...bench.endUser("ann")].sort()).toEqual(spared);
  });

  it("does not except a session of somebody else", async () => {
    const bench = crowded();
    const { ended } = await begin(bench, "other");
    expect(ended).toHaveLength(CROWD);
    expect(bench.ids({ userId: "bob" })).toEqual(["other"]);
    expect(bench.ids({ userId: "ann" })).toEqual([]);
  });

  it("keeps as many of the ended ones as may be kept, and calls those that were due by their own reason", async () => {
    const bench = crowded({ maxEnded: 10 });
    bench.now += newSession({}).idleTimeout - 1;
    for (const name of NAMES.slice(0, 990)) bench.request(name);
    bench.now += 1;
    const { ended } = await begin(bench);
    expect(ended).toHaveLength(990);
    expect(bench.list({ status: "ended" }).total).toBe(10);
    expect(bench.store.metrics().endedByReason).toMatchObject({ revoked: 990, idle: 10 });
  });

  it("leaves no trace in any index, whatever ran between the slices", async () => {
    const bench = crowded({ maxEnded: 3 });
    const answer = begin(bench);
    for (const direction of ["ascending", "descending"] as const) {
      for (const sort of ["createdAt", "lastAccessTime"] as const) {
        expect(bench.pages({ direction, sort, limit: 7 })).toEqual(["other"]);
      }
    }
    bench.now += newSession({}).absoluteTimeout;
    bench.sweep();
    bench.create("c1", { userId: "ann", secretHash: hashOf("again") });
    await answer;
    expect(bench.ids({})).toEqual(["c1"]);
    expect(bench.store.metrics()).toMatchObject({ activeSessions: 1, totalLength: 0 });
    expect(bench.heard("ended")).toHaveLength(CROWD + 1);
  });

  it("ends everybody before it says that a listener failed", async () => {
    const bench = crowded();
    const stop = bench.store.subscribe(() => {
      throw new Error("broken listener");
    });
    await expect(begin(bench)).rejects.toThrow("broken listener");
    stop();
    expect(bench.ids({ status: "active" })).toEqual(["other"]);
    expect(bench.heard("ended")).toHaveLength(CROWD);
  });
});
