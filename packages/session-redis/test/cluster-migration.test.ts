import { setTimeout as pause } from "node:timers/promises";
import type { NewSession, SessionStore } from "@kyb/session-core/store";
import { countInto, describeWithServer, isLongForm } from "@kyb/session-testkit";
import type { RedisCluster, RedisClusterNode } from "@kyb/session-testkit/servers";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { RedisStore } from "../src/redis-store.ts";
import { SCRIPTS, type Scripts } from "../src/scripts.ts";
import { Crowd, masters } from "./cluster-crowd.ts";
import { clusterDrivers } from "./support.ts";

/** Milliseconds that a call may wait for a slot to arrive, on a machine that does other things as well. */
const PATIENCE = 10_000;

const call = { signal: new AbortController().signal };
const none = { maxSessions: undefined, user: undefined };

describeWithServer(
  "redis-cluster",
  "a Redis Cluster whose slots move from node to node (F-23)",
  (cluster) => {
    for (const name of ["node-redis 6", "ioredis 6"] as const) {
      it(`goes on without an error, with ${name}`, { timeout: 600_000 }, async (context) => {
        const suite = `redis cluster, ${name}: slot migration`;
        countInto(context, { suite });
        const driver = await clusterDrivers[name](cluster().urls);
        const prefix = `f23-${name.length}:`;
        const store = redisStore({ client: driver.client, prefix, shards: 12 });
        const crowd = new Crowd(store, PATIENCE);
        await crowd.join(24);
        crowd.start();
        let moved = 0;
        let users = 0;
        const signIns = new SignIns(crowd, () => `user ${users++ % 5}`);
        try {
          for (let round = 0; round < (isLongForm() ? 20 : 2) || signIns.made < 10; round++) {
            for (const slot of await slotsInUse(cluster(), prefix)) {
              await (await Move.begin(cluster(), slot)).finish();
              moved += 1;
            }
          }
        } finally {
          // Also when a move failed: they would go on for ever.
          await signIns.stop();
          await crowd.rest();
        }
        const refused = crowd.members.flatMap(({ refusedAt }) => refusedAt).length;
        const served = crowd.members.reduce((sum, { stored }) => sum + stored.size, 0);
        for (const { id, stored } of crowd.members) {
          const { metadata = {} } = (await crowd.manager.get(id)) ?? {};
          const lost = [...stored.keys()].filter((key) => !(`key ${key}` in metadata));
          expect(lost, "acknowledged writes that were lost").toEqual([]);
        }
        await crowd.stop();
        countInto(context, { suite, faults: moved });
        console.log(
          `${suite}: ${moved} slots moved, ${served} writes and ${signIns.made} sign-ins meanwhile`,
        );
        expect(crowd.violations).toEqual([]);
        expect(signIns.errors, "sign-ins and revocations that failed").toEqual([]);
        expect(refused, "requests that were refused").toBe(0);
        await store.close();
        await driver.close();
      });

      it(`reads on while a slot lies on two nodes, and refuses writes in time, with ${name}`, async () => {
        const driver = await clusterDrivers[name](cluster().urls);
        const prefix = `f23-half-${name.length}:`;
        const store = redisStore({ client: driver.client, prefix, shards: 1 });
        const ids = Array.from({ length: 12 }, (_, index) => `s${index}`);
        for (const id of ids) await store.create(session(id), none, call);
        const [slot = -1] = await slotsInUse(cluster(), prefix);
        const move = await Move.begin(cluster(), slot);
        await move.some(12);
        for (const id of ids) {
          const begin = performance.now();
          const patience = { signal: AbortSignal.timeout(100) };
          await expect(store.commit(id, increment("refused"), patience)).rejects.toMatchObject({
            code: "STORE_UNAVAILABLE",
          });
          expect(performance.now() - begin, "time until it was refused").toBeLessThan(PATIENCE);
          expect((await store.find(id, call))?.state.metadata).toEqual({});
        }
        // Those that still have patience are served as soon as the slot is there.
        const waiting = ids.map((id) => store.commit(id, increment("waited"), call));
        await move.finish();
        for (const { status } of await Promise.all(waiting)) expect(status).toBe("applied");
        for (const id of ids) {
          expect((await store.find(id, call))?.state.metadata).toEqual({ n: 1 });
        }
        expect(await store.metrics(call)).toMatchObject({ activeSessions: 12, lostSessions: 0 });
        await store.close();
        await driver.close();
      });
    }

    it("without the look at both nodes a session that is there is called gone", async () => {
      const driver = await clusterDrivers["node-redis 6"](cluster().urls);
      const options = { client: driver.client, prefix: "f23-blind:", shards: 1 };
      const store: SessionStore = new RedisStore(options, blind());
      await store.create(session("a"), none, call);
      const [slot = -1] = await slotsInUse(cluster(), options.prefix);
      const move = await Move.begin(cluster(), slot);
      expect((await store.commit("a", increment("one"), call)).status).toBe("gone");
      expect((await store.find("a", call))?.endedAt).toBeUndefined();
      await move.finish();
      await store.close();
      await driver.close();
    });
  },
  { replicas: 0 },
);

/** The scripts, which take what they see for everything. */
function blind(): Scripts {
  const blinded = Object.entries(SCRIPTS).map(([name, script]) => {
    expect(script.split("local here = redis.pcall("), "the look is there").toHaveLength(2);
    return [name, script.replace("local here = redis.pcall(", "local here = 0 -- (")];
  });
  return Object.fromEntries(blinded);
}

/** Creates and revokes sessions of a few users, which takes several shards each time. */
class SignIns {
  made = 0;
  readonly errors: unknown[] = [];
  readonly #crowd: Crowd;
  readonly #userId: () => string;
  readonly #going: Promise<void>;
  #isOver = false;

  constructor(crowd: Crowd, userId: () => string) {
    this.#crowd = crowd;
    this.#userId = userId;
    this.#going = this.#go();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#going;
  }

  async #go(): Promise<void> {
    const { manager } = this.#crowd;
    while (!this.#isOver) {
      const userId = this.#userId();
      try {
        await manager.create({ userId });
        await manager.create({ userId });
        const { items } = await manager.list({ userId });
        const { ended } = await manager.revokeUser(userId);
        if (items.length !== 2 || ended !== 2) {
          this.errors.push(`of 2 sessions ${items.length} were listed and ${ended} ended`);
        }
        this.made += 1;
      } catch (error) {
        this.errors.push(error);
      }
      // What is refused at once would leave the process no time for anything else.
      await pause(1);
    }
  }
}

/** A slot on its way to the next master, key by key, as `redis-cli --cluster reshard` moves it. */
class Move {
  readonly #slot: number;
  readonly #nodes: readonly RedisClusterNode[];
  readonly #from: RedisClusterNode;
  readonly #to: RedisClusterNode;

  private constructor(slot: number, nodes: readonly RedisClusterNode[], from: RedisClusterNode) {
    this.#slot = slot;
    this.#nodes = nodes;
    this.#from = from;
    this.#to = nodes[(nodes.indexOf(from) + 1) % nodes.length] ?? from;
  }

  static async begin(cluster: RedisCluster, slot: number): Promise<Move> {
    const nodes = await masters(cluster);
    const move = new Move(slot, nodes, await ownerOf(nodes, slot));
    await move.#to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", move.#from.id);
    await move.#from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", move.#to.id);
    return move;
  }

  /** Moves at most so many keys; answers how many there were. */
  async some(atMost: number): Promise<number> {
    const found = await this.#from.command("CLUSTER", "GETKEYSINSLOT", this.#slot, atMost);
    const keys = [found].flat().map(String);
    if (keys.length === 0) return 0;
    // Without REPLACE: a key that the other node has already made would be an error.
    await this.#from.command("MIGRATE", "127.0.0.1", this.#to.port, "", 0, 5000, "KEYS", ...keys);
    return keys.length;
  }

  async finish(): Promise<void> {
    while ((await this.some(10)) > 0);
    for (const node of [this.#to, this.#from, ...this.#nodes]) {
      await node.command("CLUSTER", "SETSLOT", this.#slot, "NODE", this.#to.id);
    }
  }
}

/** The slots that have keys of this prefix. */
async function slotsInUse(cluster: RedisCluster, prefix: string): Promise<number[]> {
  const slots = new Set<number>();
  for (const node of await masters(cluster)) {
    for (const key of [await node.command("KEYS", `${prefix}*`)].flat()) {
      slots.add(Number(await node.command("CLUSTER", "KEYSLOT", String(key))));
    }
  }
  return [...slots];
}

async function ownerOf(
  nodes: readonly RedisClusterNode[],
  slot: number,
): Promise<RedisClusterNode> {
  for (const node of nodes) {
    const lines = String(await node.command("CLUSTER", "NODES")).split("\n");
    const own = lines.find((line) => line.includes("myself")) ?? "";
    const ranges = own
      .split(" ")
      .slice(8)
      .filter((part) => !part.startsWith("["));
    const holds = ranges.some((range) => {
      const [first = -1, last = first] = range.split("-").map(Number);
      return slot >= first && slot <= last;
    });
    if (holds) return node;
  }
  throw new Error(`Nobody has slot ${slot}.`);
}

function session(id: string): NewSession {
  return {
    ...{ id, secretHash: `hash-of-${id}`, transport: "cookie", userId: undefined },
    ...{ ipAddress: "192.0.2.1", userAgent: "test", provisionalTimeout: undefined },
    ...{ idleTimeout: 3_600_000, absoluteTimeout: 36_000_000, metadata: {}, metadataBytes: 0 },
  };
}

function increment(opId: string) {
  return {
    ...{ opId, epoch: 0, secretHash: undefined, version: undefined, change: undefined },
    ops: [{ kind: "increment", key: "n", by: 1 }],
    maxMetadataBytes: 65_536,
  } as const;
}
