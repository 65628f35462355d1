import { SessionManager } from "@kyb/session-core";
import { countInto, describeWithServer, isLongForm } from "@kyb/session-testkit";
import type { RedisCluster } from "@kyb/session-testkit/servers";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { Crowd, heldBy, masters, replicaOf, until } from "./cluster-crowd.ts";
import { clusterDrivers, type Driver } from "./support.ts";

/** Longest time after the promotion until an accepted end holds again, milliseconds. */
const AGAIN = 5000;

/** What became of sessions whose end was only accepted, by the replica that was promoted. */
interface Outcome {
  /** Sessions that the promoted replica still had as live. */
  readonly cameBack: number;
  /** Of these, how many did not stay. */
  readonly endedAgain: number;
}

describeWithServer(
  "redis-cluster",
  "a replica that has not heard of an end is promoted (F-21)",
  (cluster) => {
    for (const name of ["node-redis 6", "ioredis 6"] as const) {
      it(`an end that was confirmed holds, and one that was accepted holds again soon, with ${name}`, {
        timeout: 300_000,
      }, async (context) => {
        const suite = `redis cluster, ${name}: lagging replica`;
        countInto(context, { suite });
        const rounds = isLongForm() ? 10 : 1;
        for (let round = 0; round < rounds; round++) {
          const driver = await clusterDrivers[name](cluster().urls);
          const { cameBack, endedAgain } = await promoteBehind(cluster(), driver, {
            prefix: `f21-${name.length}-${round}:`,
            isForgetful: false,
          });
          expect(cameBack, "ends that the promoted replica had not heard of").toBeGreaterThan(0);
          expect(endedAgain).toBe(cameBack);
          await driver.close();
        }
        countInto(context, { suite, faults: rounds });
      });
    }

    it("without the journal the ended sessions come back", { timeout: 300_000 }, async () => {
      const driver = await clusterDrivers["node-redis 6"](cluster().urls);
      const { cameBack, endedAgain } = await promoteBehind(cluster(), driver, {
        prefix: "f21-broken:",
        isForgetful: true,
      });
      expect(cameBack).toBeGreaterThan(0);
      expect(endedAgain).toBe(0);
      await driver.close();
    });
  },
  { nodeTimeout: 1000, args: ["--cluster-require-full-coverage", "no"] },
);

async function promoteBehind(
  cluster: RedisCluster,
  { client }: Driver,
  { prefix, isForgetful }: { readonly prefix: string; readonly isForgetful: boolean },
): Promise<Outcome> {
  const store = redisStore({ client, prefix, replicas: 1, replicaTimeout: 200 });
  const crowd = new Crowd(store);
  await crowd.join(60);
  const [master] = await masters(cluster);
  if (master === undefined) return expect.unreachable("there is no master");
  const replica = await replicaOf(cluster, master);
  const held = await heldBy(master, crowd.members);
  const [confirmed = [], accepted = []] = halves([...held]);
  await until("the replica has the sessions", 10_000, async () => {
    await replica.command("READONLY");
    return (await heldBy(replica, crowd.members)).size === held.size;
  });
  for (const id of confirmed) {
    expect((await crowd.manager.revoke(id)).durable, "an end that the replica has").toBe(true);
  }

  // From here on nothing reaches the replica, also not what is in its buffers.
  replica.pause();
  await master.command("CLIENT", "KILL", "TYPE", "replica");
  const ends = new SessionManager({ store, storeTimeout: "5s" });
  const results = await Promise.all(accepted.map((id) => ends.revoke(id)));
  for (const { ended, durable } of results) {
    expect({ ended, durable }, "an end that nobody else has").toEqual({ ended: 1, durable: false });
  }
  // A process that dies here takes its journal with it.
  if (isForgetful) await store.close();
  await master.kill();
  replica.resume();
  await until("the replica is promoted", 30_000, async () => {
    const role = await replica.command("ROLE");
    return Array.isArray(role) && role[0] === "master";
  });

  const other = redisStore({ client, prefix });
  const isLive = async (id: string): Promise<boolean> => {
    const record = await other.find(id, { signal: AbortSignal.timeout(5000) });
    return record !== undefined && record.endedAt === undefined;
  };
  const back: string[] = [];
  await until("the promoted replica answers", 10_000, async () => {
    back.length = 0;
    try {
      for (const id of accepted) if (await isLive(id)) back.push(id);
      return true;
    } catch {
      // The client does not know of it yet.
      return false;
    }
  });
  for (const id of confirmed) expect(await isLive(id), "a confirmed end is undone").toBe(false);
  const stolen = crowd.stolen();
  const stopAt = performance.now() + (isForgetful ? 2500 : AGAIN);
  let live = back;
  while (live.length > 0 && performance.now() - (crowd.stolen() - stolen) < stopAt) {
    const still: string[] = [];
    for (const id of live) if (await isLive(id)) still.push(id);
    live = still;
  }
  await other.close();
  await crowd.stop();
  await ends.close();
  await store.close();
  await master.restart();
  await cluster.ready();
  return { cameBack: back.length, endedAgain: back.length - live.length };
}

function halves<Item>(items: readonly Item[]): [Item[], Item[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}
