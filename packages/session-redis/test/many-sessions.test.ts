import type { NewSession, SessionStore } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { type Driver, drivers } from "./support.ts";

const COUNT = 5000;
const call = { signal: new AbortController().signal };
const none = { maxSessions: undefined, user: undefined };

describeWithServer("redis", "a user with 5,000 sessions", (server) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await drivers["node-redis 6"](server().url);
  });
  afterAll(() => driver.close());

  it("is signed out everywhere at one instant, and each end is counted and told once (F-08, F-43)", async () => {
    const store = redisStore({ client: driver.client, prefix: "many:" });
    await create(store, COUNT);
    const ids = Array.from({ length: COUNT }, (_, index) => `s${index}`);
    const watched = [ids[0], ids[COUNT / 2], ids[COUNT - 1]] as string[];
    const told: string[] = [];
    const stop = store.subscribe(({ type, sessionId }) => {
      if (type === "ended") told.push(sessionId);
    });
    await listening(driver);
    let isDone = false;
    const revoke = async () => {
      try {
        return await store.endUser("ann", "revoked", { except: "s7" }, call);
      } finally {
        isDone = true;
      }
    };
    const revoked = revoke();
    // One round trip reads all of them: they are live together or over together.
    let looks = 0;
    while (!isDone) {
      const records = await Promise.all(watched.map((id) => store.find(id, call)));
      const over = records.filter((record) => record?.endedAt !== undefined).length;
      expect([0, watched.length]).toContain(over);
      looks += 1;
    }
    const { ended } = await revoked;
    expect(looks).toBeGreaterThan(1);
    expect(new Set(ended).size).toBe(COUNT - 1);
    expect(await store.metrics(call)).toMatchObject({
      activeSessions: 1,
      endedByReason: { revoked: COUNT - 1 },
      totalLength: 0,
    });
    const page = await store.list(query, call);
    expect(page.total).toBe(1);
    expect(page.records.map(({ state }) => state.id)).toEqual(["s7"]);
    while (told.length < COUNT - 1) await store.metrics(call);
    expect(new Set(told).size).toBe(COUNT - 1);
    stop();
    await store.close();
  });

  it("swept when all of them are due, in small steps, so that none holds Redis up for long", async () => {
    const clock = { time: Date.UTC(2040, 0, 1), now: () => clock.time };
    const store = redisStore({ client: driver.client, prefix: "due:", clock });
    await create(store, COUNT);
    clock.time += 3_600_000;
    await driver.command("CONFIG", "RESETSTAT");
    let total = 0;
    for (let more = true; more; ) {
      const result = await store.sweep({ milliseconds: 4 }, call);
      total += result.ended;
      more = result.more;
    }
    expect(total).toBe(COUNT);
    const stats = String(await driver.command("INFO", "commandstats"));
    const steps = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    expect(steps).toBeGreaterThanOrEqual(COUNT / 40);
    await store.close();
  });
});

async function create(store: SessionStore, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const piece = Array.from({ length: 500 }, (_, index) => session(`s${from + index}`));
    await Promise.all(piece.map((each) => store.create(each, none, call)));
  }
}

/** Until the store's subscription stands. */
async function listening(driver: Driver): Promise<void> {
  for (let count: unknown = 0; count !== 1; ) {
    const answer = await driver.command("PUBSUB", "NUMSUB", "many:events");
    count = Array.isArray(answer) ? Number(answer[1]) : Reflect.get(Object(answer), "many:events");
  }
}

function session(id: string): NewSession {
  return {
    id,
    secretHash: `hash-of-${id}`,
    transport: "cookie",
    userId: "ann",
    ipAddress: "192.0.2.1",
    userAgent: "test",
    idleTimeout: 3_600_000,
    absoluteTimeout: 36_000_000,
    provisionalTimeout: undefined,
    metadata: {},
    metadataBytes: 0,
  };
}

const query = {
  userId: "ann",
  status: "active",
  search: undefined,
  sort: "createdAt",
  direction: "ascending",
  limit: 50,
  offset: 0,
  cursor: undefined,
} as const;
