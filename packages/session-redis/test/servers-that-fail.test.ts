import { isSessionError, type NewSession, type SessionStore } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { startRedis } from "@kyb/session-testkit/servers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { type Driver, drivers } from "./support.ts";

const call = { signal: new AbortController().signal };
const none = { maxSessions: undefined, user: undefined };

describeWithServer("redis", "a Redis that has trouble", (server) => {
  let driver: Driver;
  let prefixes = 0;
  const open = (options: object = {}): { store: SessionStore; prefix: string } => {
    prefixes += 1;
    const prefix = `trouble-${prefixes}:`;
    return { store: redisStore({ client: driver.client, prefix, ...options }), prefix };
  };
  beforeAll(async () => {
    driver = await drivers["node-redis 6"](server().url);
  });
  afterEach(() => driver.command("CONFIG", "SET", "maxmemory", "0"));
  afterAll(() => driver.close());

  it("forgets its scripts at any time, and nothing is lost or done twice (F-16)", async () => {
    const { store } = open();
    await store.create(session("a"), none, call);
    const commits = Array.from({ length: 40 }, async (_, index) => {
      if (index % 5 === 0) await driver.command("SCRIPT", "FLUSH");
      return store.commit("a", increment(`op-${index}`), call);
    });
    expect((await Promise.all(commits)).every(({ status }) => status === "applied")).toBe(true);
    expect((await store.find("a", call))?.state.metadata).toEqual({ n: 40 });
    await store.close();
  });

  for (const shards of [1, 3]) {
    it(`is full under noeviction, ${shards} shards: STORE_FULL, but whatever ends does, and all is counted (F-14)`, async () => {
      const { store, prefix } = open({ shards });
      const ids = ["a", "doomed", "due", "swept", "anns"];
      for (const id of ids) await store.create(session(id), none, call);
      for (const id of ["bobs", "bobs too"]) {
        await store.create({ ...session(id), userId: "bob" }, none, call);
      }
      // Time passes in one of two stores only.
      const clock = { now: () => Date.now() + 7_200_000 };
      const late = redisStore({ client: driver.client, prefix, shards, clock });
      await driver.command("CONFIG", "SET", "maxmemory", "1");
      expect(await codeOf(store.create(session("b"), none, call))).toBe("STORE_FULL");
      expect(await codeOf(store.commit("a", increment("one"), call))).toBe("STORE_FULL");
      expect((await store.find("a", call))?.state.version, "what a refused write changed").toBe(0);
      expect(await store.end("doomed", "revoked", {}, call)).toMatchObject({ status: "ended" });
      expect(await store.end("doomed", "revoked", {}, call)).toMatchObject({ status: "gone" });
      const { ended } = await store.endUser("bob", "revoked", {}, call);
      expect([...ended].sort()).toEqual(["bobs", "bobs too"]);
      for (const id of ["doomed", "bobs", "bobs too"]) {
        expect((await store.find(id, call))?.endReason).toBe("revoked");
        expect(await codeOf(store.commit(id, increment("two"), call))).toEqual("no error");
      }
      expect(await late.endIfDue("due", call)).toBeUndefined();
      await late.track({ instance: "i", sequence: 0, items: [item("a")] }, call);
      await sweep(late);
      expect(await store.metrics(call)).toMatchObject({
        activeSessions: 0,
        endedByReason: { revoked: 3, idle: 4 },
      });
      await driver.command("CONFIG", "SET", "maxmemory", "0");
      expect(await store.create(session("b"), none, call)).toMatchObject({ status: "created" });
      expect((await store.metrics(call)).activeSessions).toBe(1);
      await Promise.all([store.close(), late.close()]);
    });
  }

  it("is full and a user has as many sessions as may be: who has to go has ended, wherever a new one is made", async () => {
    const { store } = open();
    const anns = (id: string) => ({ ...session(id), userId: "ann" });
    const one = { ...none, user: { max: 1, policy: "evict-oldest" } } as const;
    await store.create(anns("first"), one, call);
    await driver.command("CONFIG", "SET", "maxmemory", "1");
    expect((await store.create(anns("second"), one, call)).status).toBe("created");
    expect((await store.find("first", call))?.endReason).toBe("limit");
    expect((await store.metrics(call)).activeSessions).toBe(1);
    await store.close();
  });

  it("loses records by eviction: they are counted, and indexes and gauges follow (F-15)", async () => {
    for (const shards of [1, 3]) {
      const { store, prefix } = open({ shards });
      for (const id of ["a", "b", "c"])
        await store.create({ ...session(id), userId: "ann" }, none, call);
      const keys = (await driver.command("KEYS", `${prefix}*:s:b`)) as string[];
      expect(await driver.command("DEL", ...keys)).toBe(1);
      await sweep(store);
      const metrics = await store.metrics(call);
      expect(metrics).toMatchObject({
        lostSessions: 1,
        activeSessions: 2,
        signedInSessions: 2,
        totalLength: 0,
      });
      const page = await store.list(query({ userId: "ann" }), call);
      expect(page.records.map(({ state }) => state.id).sort()).toEqual(["a", "c"]);
      const { ended } = await store.endUser("ann", "revoked", {}, call);
      expect([...ended].sort()).toEqual(["a", "c"]);
      await store.close();
    }
  });

  it("holds another number of shards than the store was made for: STORE_MISCONFIGURED", async () => {
    const { store, prefix } = open();
    await store.create(session("a"), none, call);
    const other = redisStore({ client: driver.client, prefix, shards: 2 });
    expect(await codeOf(other.find("a", call))).toBe("STORE_MISCONFIGURED");
    expect(await codeOf(other.metrics(call))).toBe("STORE_MISCONFIGURED");
    expect((await store.find("a", call))?.state.id).toBe("a");
    await store.close();
  });

  it("holds records that nobody can read: refused, left as they are, and ended all the same (R-72, F-28)", async () => {
    const { store, prefix } = open();
    const spoil: Record<string, (key: string) => Promise<unknown>> = {
      newer: async (key) => {
        const parts = String(await driver.command("HGET", key, "t"));
        return driver.command("HSET", key, "t", parts.replace(/^1 /, "2 "));
      },
      cut: (key) => driver.command("HSET", key, "t", "1 5 5"),
      secrets: (key) => driver.command("HSET", key, "k", "nothing"),
      data: (key) => driver.command("HSET", key, 'm"cart"', "{broken"),
      foreign: async (key) => {
        await driver.command("DEL", key);
        return driver.command("SET", key, "something else");
      },
    };
    await store.create(session("good"), none, call);
    for (const [id, damage] of Object.entries(spoil)) {
      await store.create(session(id), none, call);
      const key = `${prefix}{0}:s:${id}`;
      await damage(key);
      const before = await driver.command("DUMP", key);
      expect(await codeOf(store.find(id, call)), `find ${id}`).toBe("RECORD_UNREADABLE");
      if (id !== "data") {
        expect(await codeOf(store.commit(id, increment("x"), call)), `commit ${id}`).toBe(
          "RECORD_UNREADABLE",
        );
      }
      await store.track({ instance: "i", sequence: 0, items: [item(id)] }, call);
      if (id === "newer" || id === "foreign")
        expect(await driver.command("DUMP", key)).toEqual(before);
    }
    const listed = (await store.list(query({}), call)).records.map(({ state }) => state.id);
    expect(listed).toEqual(["good"]);
    for (const id of Object.keys(spoil)) {
      expect((await store.end(id, "revoked", {}, call)).status, `end ${id}`).toBe("ended");
      expect((await store.end(id, "revoked", {}, call)).status, `end ${id} again`).toBe("gone");
    }
    expect(await store.metrics(call)).toMatchObject({ activeSessions: 1, lostSessions: 0 });
    await store.close();
  });

  it("holds the sessions of two prefixes apart", async () => {
    const [first, second] = [open().store, open().store];
    await first.create({ ...session("a"), userId: "ann" }, none, call);
    expect(await second.find("a", call)).toBeUndefined();
    expect((await second.endUser("ann", "revoked", {}, call)).ended).toEqual([]);
    expect((await second.metrics(call)).totalSessions).toBe(0);
    expect((await first.find("a", call))?.endedAt).toBeUndefined();
    await Promise.all([first.close(), second.close()]);
  });
});

describe("a Redis that restarts or has replicas", () => {
  it("comes back with an old snapshot: what was ended since is ended again within 5 s (F-13, F-21)", async () => {
    const redis = await startRedis();
    const driver = await drivers["node-redis 6"](redis.url);
    try {
      const store = redisStore({ client: driver.client });
      for (const id of ["a", "b"]) await store.create(session(id), none, call);
      const snapshot = await redis.snapshot();
      expect(await store.end("a", "revoked", {}, call)).toEqual({
        status: "ended",
        durable: false,
      });
      await redis.restart({ snapshot });
      await eventually(async () => {
        expect((await store.find("a", call))?.endReason).toBe("revoked");
      });
      expect((await store.find("b", call))?.endedAt).toBeUndefined();
      await store.close();
    } finally {
      await driver.close();
      await redis.stop();
    }
  });

  it("calls an end durable when its replicas have it, and not when they do not answer (R-31)", async () => {
    const [redis, replica] = await Promise.all([startRedis(), startRedis()]);
    await replica.command("REPLICAOF", "127.0.0.1", redis.port);
    await eventually(async () => {
      expect(String(await redis.command("INFO", "replication"))).toContain("state=online");
    });
    for (const connect of Object.values(drivers)) {
      const driver = await connect(redis.url);
      const store = redisStore({ client: driver.client, replicas: 1, replicaTimeout: 300 });
      for (const id of ["a", "b", "c"])
        await store.create({ ...session(id), userId: "ann" }, none, call);
      expect(await store.end("a", "revoked", {}, call)).toEqual({ status: "ended", durable: true });
      await driver.command("CONFIG", "SET", "maxmemory", "1");
      const full = await store.end("c", "revoked", {}, call);
      await driver.command("CONFIG", "SET", "maxmemory", "0");
      expect(full, "while Redis is full").toEqual({ status: "ended", durable: true });
      replica.pause();
      const answer = await store.endUser("ann", "revoked", {}, call);
      expect(answer).toEqual({ ended: ["b"], durable: false });
      replica.resume();
      await store.close();
      await driver.command("FLUSHALL");
      await driver.close();
    }
    await Promise.all([redis.stop(), replica.stop()]);
  });
});

function session(id: string): NewSession {
  return {
    id,
    secretHash: `hash-of-${id}`,
    transport: "cookie",
    userId: undefined,
    ipAddress: "192.0.2.1",
    userAgent: "test",
    idleTimeout: 3_600_000,
    absoluteTimeout: 36_000_000,
    provisionalTimeout: undefined,
    metadata: {},
    metadataBytes: 0,
  };
}

function increment(opId: string) {
  return {
    opId,
    epoch: 0,
    secretHash: undefined,
    version: undefined,
    ops: [{ kind: "increment", key: "n", by: 1 }],
    maxMetadataBytes: 65_536,
    change: undefined,
  } as const;
}

function item(id: string) {
  return {
    id,
    seenAt: Date.now(),
    access: true,
    active: true,
    confirm: true,
    request: undefined,
    entry: undefined,
  };
}

function query(overrides: { userId?: string }) {
  return {
    userId: undefined,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "ascending",
    limit: 50,
    offset: 0,
    cursor: undefined,
    ...overrides,
  } as const;
}

async function sweep(store: SessionStore): Promise<void> {
  for (let more = true; more; ) ({ more } = await store.sweep({ milliseconds: 50 }, call));
}

async function codeOf(answer: unknown): Promise<unknown> {
  try {
    await answer;
  } catch (error) {
    return isSessionError(error) ? error.code : error;
  }
  return "no error";
}

/** Looks again until it holds, for at most 5 seconds. */
async function eventually(check: () => Promise<void>): Promise<void> {
  const stopAt = performance.now() + 5000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= stopAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
