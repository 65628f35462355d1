import { countInto, describeWithServer, isLongForm } from "@kyb/session-testkit";
import type { RedisCluster, RedisClusterNode } from "@kyb/session-testkit/servers";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { Crowd, masters } from "./cluster-crowd.ts";
import { clusterDrivers } from "./support.ts";

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
        const crowd = new Crowd(store);
        await crowd.join(48);
        crowd.start();
        let moved = 0;
        let users = 0;
        const signIns = new SignIns(crowd, () => `user ${users++ % 5}`);
        for (let round = 0; round < (isLongForm() ? 20 : 2); round++) {
          for (const slot of await slotsInUse(cluster(), prefix)) {
            await migrate(cluster(), slot);
            moved += 1;
          }
        }
        await signIns.stop();
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
          `${suite}: ${moved} slots moved, ${served} writes and ${signIns.made} sign-ins meanwhile, ${refused + signIns.refused} refused`,
        );
        expect(crowd.violations).toEqual([]);
        expect(signIns.made).toBeGreaterThan(10);
        expect(refused + signIns.refused, "requests that were refused").toBe(0);
        await store.close();
        await driver.close();
      });
    }
  },
);

/** Creates and revokes sessions of a few users, which takes several shards each time. */
class SignIns {
  made = 0;
  refused = 0;
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
        await manager.list({ userId });
        await manager.revokeUser(userId);
        this.made += 1;
      } catch (error) {
        this.refused += 1;
        if (this.refused < 3) console.log(error);
      }
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

/** Moves a slot to the next master, key by key, as `redis-cli --cluster reshard` does. */
async function migrate(cluster: RedisCluster, slot: number): Promise<void> {
  const all = await masters(cluster);
  const from = await ownerOf(all, slot);
  const to = all[(all.indexOf(from) + 1) % all.length] ?? from;
  await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
  await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
  for (;;) {
    const keys = [await from.command("CLUSTER", "GETKEYSINSLOT", slot, 10)].flat().map(String);
    if (keys.length === 0) break;
    await from.command("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys);
  }
  for (const node of [to, from, ...all]) {
    await node.command("CLUSTER", "SETSLOT", slot, "NODE", to.id);
  }
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
