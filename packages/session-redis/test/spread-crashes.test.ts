import { type NewSession, SessionError, type SessionStore } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RedisStore } from "../src/redis-store.ts";
import { SCRIPTS } from "../src/scripts.ts";

const START = Date.UTC(2040, 0, 1);
const call = { signal: new AbortController().signal };
const none = { maxSessions: undefined, user: undefined };

/** A client that dies before the command with this number, as a process does between two writes. */
class Dying {
  readonly client: ReturnType<typeof createClient>;
  left = Number.POSITIVE_INFINITY;

  constructor(client: ReturnType<typeof createClient>) {
    this.client = client;
  }

  get proxy(): object {
    const { client } = this;
    return new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "sendCommand") return typeof value === "function" ? value.bind(target) : value;
        return (args: string[]) => {
          this.left -= 1;
          if (this.left < 0) return Promise.reject(new Error("the process is gone"));
          return client.sendCommand(args);
        };
      },
    });
  }
}

describeWithServer("redis", "an instance that dies between two writes (F-24)", (server) => {
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
  });
  afterAll(() => client.destroy());

  const acts: Readonly<Record<string, (store: RedisStore) => Promise<unknown>>> = {
    "creates for a user": (store) => store.create({ ...session("new"), userId: "ann" }, none, call),
    "signs in": (store) => store.commit("anonymous", signIn("ann"), call),
    "signs over to another user": (store) => store.commit("bobs", signIn("ann"), call),
    "evicts for the limit": (store) => {
      const user = { max: 1, policy: "evict-oldest" } as const;
      return store.create({ ...session("new"), userId: "ann" }, { ...none, user }, call);
    },
    "ends one": (store) => store.end("anns", "revoked", {}, call),
    "ends a user": (store) => store.endUser("ann", "revoked", {}, call),
  };
  for (const [name, act] of Object.entries(acts)) {
    it(`${name}: after one sweep index and sessions agree, whatever write was the last`, async () => {
      let points = 0;
      for (let point = 0; ; point++) {
        await client.sendCommand(["FLUSHALL"]);
        const clock = { time: START, now: () => clock.time };
        const survivor = new RedisStore({ client, clock, shards: 3 });
        for (const [id, userId] of [
          ["anns", "ann"],
          ["bobs", "bob"],
          ["anonymous", undefined],
        ] as const) {
          await survivor.create({ ...session(id), userId }, none, call);
        }
        const dying = new Dying(client);
        const store = new RedisStore({ client: dying.proxy, clock, shards: 3 }, SCRIPTS);
        // Scripts are known to the store and to the server, so that what is counted are the steps.
        await store.metrics(call);
        dying.left = point;
        const died = await act(store).then(
          () => false,
          (error: unknown) => error instanceof SessionError,
        );
        clock.time += 60_000;
        for (let more = true; more; ) ({ more } = await survivor.sweep({ milliseconds: 50 }, call));
        await agree(survivor, point);
        await Promise.all([store.close(), survivor.close()]);
        points = point;
        if (!died) break;
      }
      expect(points, "writes between which it died").toBeGreaterThan(1);
    });
  }

  /** Everybody's index names exactly the sessions that are theirs, and a revocation reaches all of them. */
  async function agree(store: SessionStore, point: number): Promise<void> {
    const what = `died before command ${point}`;
    const ids = ["anns", "bobs", "anonymous", "new"];
    const records = (await Promise.all(ids.map((id) => store.find(id, call)))).filter(
      (record) => record !== undefined && record.endedAt === undefined,
    );
    for (const userId of ["ann", "bob"]) {
      const theirs = records.filter((record) => record?.state.userId === userId);
      const expected = theirs.map((record) => record?.state.id).sort();
      const page = await store.list(query(userId), call);
      expect(page.records.map(({ state }) => state.id).sort(), what).toEqual(expected);
      expect(page.total, what).toBe(expected.length);
      const { ended } = await store.endUser(userId, "revoked", {}, call);
      expect([...ended].sort(), what).toEqual(expected);
    }
    const metrics = await store.metrics(call);
    const left = records.filter((record) => record?.state.userId === undefined).length;
    expect(metrics.activeSessions, what).toBe(left);
  }
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

function signIn(userId: string) {
  return {
    opId: `sign-in-${userId}`,
    epoch: 0,
    secretHash: undefined,
    version: undefined,
    ops: [],
    maxMetadataBytes: 65_536,
    change: {
      kind: "sign-in",
      secretHash: "the new hash",
      userId,
      keep: true,
      idleTimeout: 3_600_000,
      absoluteTimeout: 36_000_000,
      limit: undefined,
    },
  } as const;
}

function query(userId: string) {
  return {
    userId,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "ascending",
    limit: 50,
    offset: 0,
    cursor: undefined,
  } as const;
}
