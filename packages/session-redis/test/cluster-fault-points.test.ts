import type {
  Commit,
  NewSession,
  SecretChange,
  SessionStore,
  StoreCall,
  StoreSettings,
  UserLimit,
} from "@kyb/session-core/store";
import { countInto, describeWithServer, isLongForm } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { clusterDrivers, type Driver } from "./support.ts";

const LIMIT: UserLimit = { max: 3, policy: "evict-oldest" };
const MINUTE = 60_000;

/** What dies in its middle. */
const DEEDS: Readonly<Record<string, (world: World, store: SessionStore) => unknown>> = {
  "a creation": (world, store) => world.create(store, "new", "ann"),
  "a sign-in": (world, store) => world.signIn(store, "anonymous", "ann"),
  "a sign-in as somebody else": (world, store) => world.signIn(store, "of bob", "ann"),
  "an end": (world, store) => store.end(idOf("ann 0"), "revoked", {}, world.call),
  "the end of a user": (world, store) => store.endUser("ann", "revoked", {}, world.call),
  "a sweep": async (world, store) => {
    world.now += 31 * MINUTE;
    await store.sweep({ milliseconds: 1000 }, world.call);
  },
};

describeWithServer("redis-cluster", "a process that dies between two writes (F-24)", (cluster) => {
  let driver: Driver;
  let worlds = 0;
  let torn = 0;
  beforeAll(async () => {
    driver = await clusterDrivers["node-redis 6"](cluster().urls);
  });
  afterAll(() => driver.close());

  for (const [name, act] of Object.entries(DEEDS)) {
    it(`in the middle of ${name} leaves nothing that a sweep does not mend`, {
      timeout: 300_000,
    }, async (context) => {
      const suite = "redis cluster: fault points";
      countInto(context, { suite });
      let point = 0;
      for (let isDone = false; !isDone; point++) {
        const world = await World.make(driver, `f24-${worlds++}:`);
        isDone = await world.dies(point, act);
        if (!(await world.isWhole())) torn += 1;
        await world.mends();
        // And without a sweep in between.
        const other = await World.make(driver, `f24-${worlds++}:`);
        await other.dies(point, act);
        await other.revokes();
      }
      countInto(context, { suite, faults: 2 * (point - 1) });
      expect(point, "commands in it").toBeGreaterThan(1);
    });
  }

  it("leaves something at some of these points that only a sweep mends", () => {
    expect(torn, "points at which not everything agreed").toBeGreaterThan(0);
  });

  it("goes on for long without the indexes growing", { timeout: 600_000 }, async () => {
    const world = await World.make(driver, `f24-${worlds++}:`);
    const size = async (): Promise<number> => {
      const masters = cluster().nodes.filter(({ role }) => role === "master");
      const keys = await Promise.all(
        masters.map((node) => node.command("KEYS", `${world.prefix}*`)),
      );
      return keys.flat().length;
    };
    const churn = async (from: number, count: number): Promise<void> => {
      for (let index = from; index < from + count; index++) {
        await world.create(world.store, `churn ${index}`, `user ${index % 50}`);
        await world.store.end(idOf(`churn ${index}`), "signed-out", {}, world.call);
      }
      world.now += 25 * 60 * MINUTE;
      await world.sweep();
    };
    await churn(0, 200);
    const before = await size();
    const rounds = isLongForm() ? 20_000 : 400;
    await churn(200, rounds);
    expect(await size(), "keys").toBeLessThanOrEqual(before + 5);
  });
});

/** A few users with sessions, in a key space of their own. */
class World {
  readonly prefix: string;
  readonly store: SessionStore;
  readonly call: StoreCall = { signal: AbortSignal.timeout(600_000) };
  now: number = Date.UTC(2040, 0, 1);
  readonly #driver: Driver;
  readonly #ids: string[] = [];

  private constructor(driver: Driver, prefix: string) {
    this.#driver = driver;
    this.prefix = prefix;
    this.store = this.#open(driver.client);
  }

  static async make(driver: Driver, prefix: string): Promise<World> {
    const world = new World(driver, prefix);
    for (let index = 0; index < LIMIT.max; index++) {
      await world.create(world.store, `ann ${index}`, "ann");
      world.now += 1000;
    }
    await world.create(world.store, "of bob", "bob");
    await world.create(world.store, "anonymous", undefined);
    return world;
  }

  /** Does something in a process that dies after so many commands; answers whether it came to its end before. */
  async dies(point: number, act: (world: World, store: SessionStore) => unknown): Promise<boolean> {
    let left = Number.POSITIVE_INFINITY;
    const store = this.#open(
      dying(this.#driver.client, () => {
        left -= 1;
        return left < 0;
      }),
    );
    await store.find(idOf("nobody"), this.call);
    left = point;
    try {
      await act(this, store);
      return left >= 0;
    } catch (error) {
      expect(error, "what the dying process hears").toMatchObject({ code: "STORE_UNAVAILABLE" });
      return false;
    } finally {
      left = 0;
      await store.close();
    }
  }

  /** Whether everything agrees without a sweep. */
  async isWhole(): Promise<boolean> {
    try {
      await this.#agrees();
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") return false;
      throw error;
    }
  }

  /** After a sweep everything agrees: what is there, what is listed, and what is counted. */
  async mends(): Promise<void> {
    // What was reserved and never came about has run out by then.
    this.now += 5 * MINUTE;
    await this.sweep();
    await this.#agrees();
    await this.#ends();
  }

  /** Also right after the death an administrator gets at everything. */
  async revokes(): Promise<void> {
    await this.#ends();
    this.now += 5 * MINUTE;
    await this.sweep();
    await this.#agrees();
    expect(await this.#liveOf("ann"), "sessions that are live again").toEqual([]);
  }

  async sweep(): Promise<void> {
    for (let more = true; more; ) {
      ({ more } = await this.store.sweep({ milliseconds: 1000 }, this.call));
    }
  }

  async create(store: SessionStore, label: string, userId: string | undefined): Promise<void> {
    const session = newSession(label, userId);
    this.#ids.push(session.id);
    await store.create(session, { maxSessions: undefined, user: LIMIT }, this.call);
  }

  async signIn(store: SessionStore, label: string, userId: string): Promise<void> {
    const change: SecretChange = {
      ...{ kind: "sign-in", secretHash: hashOf(`${label} in`), userId, keep: true, limit: LIMIT },
      ...{ idleTimeout: 30 * MINUTE, absoluteTimeout: 600 * MINUTE },
    };
    const commit: Commit = {
      ...{ opId: `sign in ${label}`, epoch: 0, secretHash: hashOf(label), version: undefined },
      ...{ ops: [], maxMetadataBytes: 1000, change },
    };
    await store.commit(idOf(label), commit, this.call);
  }

  async #ends(): Promise<void> {
    await this.store.endUser("ann", "revoked", {}, this.call);
    expect(await this.#liveOf("ann"), "sessions that survive the end of their user").toEqual([]);
    expect(await this.#listOf("ann"), "sessions that are still listed").toEqual([]);
  }

  async #agrees(): Promise<void> {
    let total = 0;
    for (const userId of ["ann", "bob", undefined]) {
      const live = await this.#liveOf(userId);
      total += live.length;
      if (userId === undefined) continue;
      expect(await this.#listOf(userId), `what is listed of ${userId}`).toEqual(live);
      expect(live.length).toBeLessThanOrEqual(LIMIT.max);
    }
    const metrics = await this.store.metrics(this.call);
    expect(metrics.activeSessions, "live sessions that are counted").toBe(total);
  }

  async #liveOf(userId: string | undefined): Promise<string[]> {
    const live: string[] = [];
    for (const id of this.#ids) {
      const record = await this.store.find(id, this.call);
      if (record === undefined || record.endedAt !== undefined) continue;
      if (record.state.userId === userId) live.push(id);
    }
    return live.sort();
  }

  async #listOf(userId: string): Promise<string[]> {
    const page = await this.store.list(
      {
        ...{ userId, status: "active", search: undefined, sort: "createdAt" },
        ...{ direction: "ascending", limit: 100, offset: 0, cursor: undefined },
      },
      this.call,
    );
    expect(page.total, "the total of the list").toBe(page.records.length);
    return page.records.map(({ state }) => state.id).sort();
  }

  #open(client: object): SessionStore {
    const clock = { now: () => this.now };
    const store = redisStore({ client, prefix: this.prefix, shards: 6, clock });
    store.attach(settingsOf(clock.now));
    return store;
  }
}

/** The same client, which sends nothing any more from the moment on that `isDead` says so. */
function dying(client: object, isDead: () => boolean): object {
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property !== "sendCommand") return value.bind(target);
      return async (...args: readonly unknown[]) => {
        if (isDead()) throw new Error("This process is dead.");
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function settingsOf(now: () => number): StoreSettings {
  return {
    ...{ now, activityLimit: 10, activityBytes: 0, activityRetention: undefined },
    ...{ endedRetention: 24 * 60 * MINUTE, maxEnded: undefined, metrics: true },
  };
}

function newSession(label: string, userId: string | undefined): NewSession {
  return {
    ...{ id: idOf(label), secretHash: hashOf(label), transport: "cookie", userId },
    ...{ ipAddress: "192.0.2.1", userAgent: "Test", provisionalTimeout: undefined },
    ...{ idleTimeout: 30 * MINUTE, absoluteTimeout: 600 * MINUTE },
    ...{ metadata: Object.freeze(Object.create(null)), metadataBytes: 2 },
  };
}

function idOf(label: string): string {
  return Buffer.from(label.padEnd(24, ".")).toString("base64url").slice(0, 32);
}

function hashOf(label: string): string {
  return `${Buffer.from(label.padEnd(31, ".")).toString("base64url").slice(0, 41)}AA`;
}
