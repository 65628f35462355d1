import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/memory/memory-store.ts";
import type { StoreSettings } from "../../src/store.ts";
import { DAY, HOUR, MINUTE, SECOND, START } from "../support/clock.ts";
import { commitOf, hashOf, newSession, signInOf } from "../support/records.ts";
import { Bench, outcomeOf, queryOf, requestOf } from "./bench.ts";

const LIMITS = { maxSessions: undefined, user: undefined };

describe("memoryStore", () => {
  it("says what it can do", () => {
    expect(memoryStore().capabilities).toEqual({
      name: "memory",
      durable: false,
      shared: false,
      atomic: true,
      userIndex: true,
      immediate: true,
      sweepInterval: 1000,
    });
  });

  it("makes a session with the times of its clock", () => {
    const bench = new Bench();
    const result = bench.create("a", { userAgent: "Test/1.0", provisionalTimeout: MINUTE });
    expect(result).toMatchObject({
      status: "created",
      record: {
        lastAccessTime: START,
        lastActivityTime: START,
        requestCount: 0,
        confirmed: false,
        endedAt: undefined,
        endReason: undefined,
        state: { id: "a", createdAt: START, userAgent: "Test/1.0", provisionalEnd: START + MINUTE },
      },
    });
    expect(bench.store.find("b")).toBeUndefined();
    expect(bench.events).toEqual([
      { type: "created", sessionId: "a", userId: undefined, at: START, reason: undefined },
    ]);
  });

  it("refuses an id that exists, also that of an ended session, and changes nothing", () => {
    const bench = new Bench();
    bench.create("a");
    const before = bench.read("a");
    expect(outcomeOf(() => bench.create("a", { secretHash: "b" }))).toBe("STORE_UNAVAILABLE");
    expect(bench.read("a")).toEqual(before);
    bench.end("a");
    expect(outcomeOf(() => bench.create("a"))).toBe("STORE_UNAVAILABLE");
    bench.now += 2 * DAY;
    expect(outcomeOf(() => bench.create("a"))).toBe("STORE_UNAVAILABLE");
    bench.sweep();
    expect(bench.create("a").status).toBe("created");
  });

  it("answers copies: what a request holds does not become another user's behind its back", () => {
    const bench = new Bench();
    bench.create("a");
    const held = bench.read("a");
    const copy = structuredClone({ ...held });
    bench.now += SECOND;
    bench.signIn("a");
    bench.request("a");
    bench.end("a");
    expect(held).toEqual(copy);
  });

  it("keeps the user agents of many sessions once, each as it was given", () => {
    const bench = new Bench({ maxEnded: 0 });
    for (let index = 0; index < 30; index++)
      bench.create(`s${index}`, { userAgent: `agent ${index % 3}` });
    for (let index = 0; index < 30; index += 2) bench.end(`s${index}`);
    for (let index = 1; index < 30; index += 2) {
      expect(bench.read(`s${index}`).state.userAgent).toBe(`agent ${index % 3}`);
    }
  });

  it("throws from every method after it was closed, and closes as often as one likes", () => {
    const bench = new Bench();
    bench.create("a");
    const { store } = bench;
    const stop = store.subscribe(() => undefined);
    store.close();
    store.close();
    stop();
    const calls: (() => unknown)[] = [
      () => store.attach({} as StoreSettings),
      () => store.create(newSession(), LIMITS),
      () => store.find("a"),
      () => store.commit("a", commitOf()),
      () => store.track({ instance: "i", sequence: 1, items: [] }),
      () => store.end("a", "revoked", {}),
      () => store.endIfDue("a"),
      () => store.endUser("ann", "revoked", {}),
      () => store.list(queryOf()),
      () => store.activity("a", { limit: 1, offset: 0, cursor: undefined }),
      () => store.metrics(),
      () => store.sweep({ milliseconds: 1 }),
      () => store.subscribe(() => undefined),
    ];
    for (const call of calls) expect(outcomeOf(call)).toBe("STORE_UNAVAILABLE");
  });
});

describe("memoryStore options", () => {
  const settings: StoreSettings = {
    now: () => 7,
    activityLimit: 2,
    activityBytes: 100_000,
    activityRetention: undefined,
    endedRetention: HOUR,
    maxEnded: 5,
    metrics: true,
  };

  it("win over what a manager says; the rest is the manager's, of the latest one", () => {
    const store = memoryStore({ activityLimit: 4 });
    store.attach({ ...settings, now: () => 1 });
    store.attach(settings);
    store.create(newSession({ id: "a" }), LIMITS);
    expect(store.find("a")?.state.createdAt).toBe(7);
    for (let index = 0; index < 9; index++)
      store.track({ instance: "i", sequence: 0, items: [requestOf("a", 7)] });
    expect(store.activity("a", { limit: 9, offset: 0, cursor: undefined })?.total).toBe(4);
  });

  it("are refused by name when they are wrong", () => {
    const wrong: [options: object, name: string][] = [
      [{ activityLimit: -1 }, "activityLimit"],
      [{ activityBytes: "256MB" }, "activityBytes"],
      [{ endedRetention: Number.NaN }, "endedRetention"],
      [{ maxEnded: null }, "maxEnded"],
      [{ maxSessions: 5 }, "maxSessions"],
    ];
    for (const [options, name] of wrong) {
      expect(outcomeOf(() => memoryStore(options))).toBe("INVALID_CONFIG");
      expect(() => memoryStore(options)).toThrow(name);
    }
  });

  it("count nothing when metrics are off", () => {
    const bench = new Bench({ metrics: false });
    bench.create("a", { userId: "ann" });
    bench.request("a");
    bench.end("a");
    expect(bench.store.metrics()).toMatchObject({
      totalSessions: 0,
      totalRequests: 0,
      requestsLastMinute: 0,
      activeUsers: 0,
      peakSessions: 0,
      endpoints: [],
    });
    expect(bench.store.metrics().endedByReason.revoked).toBe(0);
  });
});

describe("memoryStore commits", () => {
  it("apply a change once, though its answer was lost and it comes again (F-17)", () => {
    const bench = new Bench();
    bench.create("a");
    const increment = (opId: string) =>
      bench.commit("a", { opId, ops: [{ kind: "increment", key: "n", by: 1 }] });
    for (const opId of ["1", "1", "2", "3", "4", "1", "2", "3", "4"]) {
      expect(increment(opId)).toMatchObject({ status: "applied" });
    }
    expect(bench.read("a").state.metadata.n).toBe(4);
    expect(bench.read("a").state.version).toBe(4);
  });

  it("answer a repeated sign-in with the session as it is, and never sign in twice", () => {
    const bench = new Bench();
    bench.create("a");
    const change = signInOf();
    bench.commit("a", { opId: "in", change });
    bench.request("a");
    expect(bench.commit("a", { opId: "in", change })).toEqual({
      status: "applied",
      record: bench.read("a"),
    });
    expect(bench.read("a").state.epoch).toBe(1);
    expect(bench.heard("signed-in")).toEqual(["a"]);
    bench.end("a");
    expect(bench.commit("a", { opId: "in", change })).toEqual({ status: "gone" });
  });

  it("add up, 64 of them interleaved with reads (F-03)", () => {
    const bench = new Bench();
    bench.create("a");
    const seen = Array.from({ length: 64 }, () => bench.read("a"));
    for (const [index, record] of seen.entries()) {
      const { epoch } = record.state;
      bench.commit("a", { epoch, ops: [{ kind: "increment", key: "n", by: 1 }] });
      const set = { kind: "set", key: `key ${index}`, value: index, bytes: 2 } as const;
      expect(bench.commit("a", { epoch, ops: [set] }).status).toBe("applied");
    }
    const { metadata } = bench.read("a").state;
    expect(metadata.n).toBe(64);
    expect(Object.keys(metadata)).toHaveLength(65);
  });

  it("are refused as the pure rule says, and write nothing then", () => {
    const bench = new Bench();
    bench.create("a");
    bench.signIn("a");
    const before = bench.read("a");
    expect(bench.commit("a", { epoch: 0 })).toEqual({ status: "superseded" });
    expect(bench.commit("a", { epoch: 1, version: 0 })).toEqual({
      status: "conflict",
      record: before,
    });
    const large = { kind: "set", key: "k", value: "x", bytes: 100 } as const;
    expect(bench.commit("a", { epoch: 1, ops: [large], maxMetadataBytes: 50 })).toMatchObject({
      limit: "metadata",
    });
    expect(bench.commit("nobody")).toEqual({ status: "gone" });
    expect(bench.read("a")).toEqual(before);
    expect(bench.events).toHaveLength(2);
  });

  it("tell of regenerations when the secret changes, not when one is offered", () => {
    const bench = new Bench();
    bench.create("a");
    bench.commit("a", { change: { kind: "offer", secretHash: hashOf("b"), nonce: "n" } });
    expect(bench.heard("regenerated")).toEqual([]);
    bench.commit("a", { secretHash: hashOf("b"), change: { kind: "promote" } });
    bench.commit("a", { change: { kind: "regenerate", secretHash: hashOf("c") } });
    expect(bench.heard("regenerated")).toEqual(["a", "a"]);
  });

  it("move the user's index with the user", () => {
    const bench = new Bench();
    bench.create("a");
    bench.signIn("a", { userId: "ann" });
    expect(bench.ids({ userId: "ann" })).toEqual(["a"]);
    bench.signIn("a", { userId: "bob" });
    expect(bench.ids({ userId: "ann" })).toEqual([]);
    expect(bench.ids({ userId: "bob" })).toEqual(["a"]);
    expect(bench.store.metrics()).toMatchObject({ signedInSessions: 1, anonymousSessions: 0 });
  });

  it("restart both timeouts at a sign-in, which is a sign of life (R-22)", () => {
    const bench = new Bench();
    bench.create("a", { idleTimeout: HOUR, absoluteTimeout: 2 * HOUR });
    bench.now += HOUR - 1;
    bench.signIn("a", { idleTimeout: HOUR, absoluteTimeout: 2 * HOUR });
    expect(bench.read("a")).toMatchObject({
      lastActivityTime: bench.now,
      lastAccessTime: bench.now,
    });
    expect(bench.store.metrics().totalLength).toBe(HOUR - 1);
    bench.now += HOUR - 1;
    expect(bench.store.endIfDue("a")).toBeDefined();
    bench.now += 1;
    expect(bench.store.endIfDue("a")).toBeUndefined();
  });
});

describe("memoryStore endings", () => {
  it("happen once, with one event, and stay readable", () => {
    const bench = new Bench();
    bench.create("a", { userId: "ann" });
    bench.request("a");
    bench.now += SECOND;
    expect(bench.end("a", "signed-out")).toBe("ended");
    expect(bench.end("a", "revoked")).toBe("gone");
    expect(bench.end("nobody")).toBe("gone");
    expect(bench.read("a")).toMatchObject({ endedAt: bench.now, endReason: "signed-out" });
    expect(bench.read("a").state.secretHash).toBe(hashOf("a"));
    expect(bench.timeline("a").total).toBe(1);
    expect(bench.heard("ended")).toEqual(["a"]);
  });

  it("that name an epoch leave a session that has another one", () => {
    const bench = new Bench();
    bench.create("a");
    bench.signIn("a");
    expect(bench.store.end("a", "revoked", { epoch: 0 })).toEqual({ status: "superseded" });
    expect(bench.store.end("a", "revoked", { epoch: 1 })).toEqual({
      status: "ended",
      durable: true,
    });
  });

  it("take all of a user's sessions but one, with their own reason those that are due (R-29)", () => {
    const bench = new Bench();
    bench.create("due", { userId: "ann", idleTimeout: MINUTE });
    for (const id of ["a", "b", "c"]) bench.create(id, { userId: "ann" });
    bench.create("other", { userId: "bob" });
    bench.now += MINUTE;
    const result = bench.store.endUser("ann", "revoked", { except: "b" });
    expect(result).toEqual({ ended: ["a", "c"], durable: true });
    expect(bench.reasonOf("due")).toBe("idle");
    expect(bench.ids()).toEqual(["b", "other"]);
    expect(bench.store.endUser("nobody", "revoked", {})).toEqual({ ended: [], durable: true });
  });

  it("of more sessions than are kept leave the last ones readable, in the order in which they ended", () => {
    const bench = new Bench({ maxEnded: 3 });
    bench.create("before", { userId: "bob" });
    bench.end("before");
    for (let index = 0; index < 10; index++) bench.create(`s${index}`, { userId: "ann" });
    const ended = bench.endUser("ann");
    expect(ended).toHaveLength(10);
    expect(bench.heard("ended")).toHaveLength(11);
    expect(bench.ids({ status: "ended" }).sort()).toEqual([...ended].slice(-3).sort());
    expect(bench.store.find("before")).toBeUndefined();
    expect(bench.store.metrics()).toMatchObject({ activeSessions: 0 });
    expect(bench.store.metrics().endedByReason.revoked).toBe(11);
  });
});

describe("memoryStore events", () => {
  it("come when all is done: a listener sees the user's sessions ended at one instant", () => {
    const bench = new Bench();
    for (const id of ["a", "b", "c"]) bench.create(id, { userId: "ann" });
    const seen: number[] = [];
    bench.store.subscribe((event) => {
      if (event.type === "ended") seen.push(bench.list({ userId: "ann" }).records.length);
    });
    bench.store.endUser("ann", "revoked", {});
    expect(seen).toEqual([0, 0, 0]);
  });

  it("tell of an eviction before the creation that it made room for", () => {
    const bench = new Bench();
    bench.create("a");
    bench.create("b", {}, { maxSessions: 1 });
    expect(bench.events.map(({ type, sessionId }) => `${type} ${sessionId}`)).toEqual([
      "created a",
      "ended a",
      "created b",
    ]);
  });

  it("let a listener use the store", () => {
    const bench = new Bench();
    bench.store.subscribe((event) => {
      if (event.type === "created" && event.sessionId === "a") bench.create("b");
      if (event.type === "created" && event.sessionId === "b") bench.end("a");
    });
    bench.create("a");
    expect(bench.heard("created")).toEqual(["a", "b"]);
    expect(bench.heard("ended")).toEqual(["a"]);
    expect(bench.ids()).toEqual(["b"]);
  });

  it("reach every listener though one of them fails, and leave the store whole", () => {
    const bench = new Bench();
    const heard: string[] = [];
    const stop = bench.store.subscribe(() => {
      throw new Error("The listener failed.");
    });
    bench.store.subscribe((event) => heard.push(event.sessionId));
    expect(() => bench.create("a")).toThrow("The listener failed.");
    expect(heard).toEqual(["a"]);
    expect(bench.ids()).toEqual(["a"]);
    expect(bench.store.metrics()).toMatchObject({ activeSessions: 1, totalSessions: 1 });
    stop();
    bench.create("b");
    expect(heard).toEqual(["a", "b"]);
  });

  it("come twice to a function that listens twice, until it stops", () => {
    const bench = new Bench();
    let calls = 0;
    const listener = (): void => {
      calls++;
    };
    const stop = bench.store.subscribe(listener);
    bench.store.subscribe(listener);
    bench.create("a");
    stop();
    stop();
    bench.create("b");
    expect(calls).toBe(3);
  });
});
