import { countInto, describeWithServer, isLongForm } from "@kyb/session-testkit";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { Crowd, DEADLINE, heldBy, masters, until } from "./cluster-crowd.ts";
import { clusterDrivers } from "./support.ts";

const NODE_TIMEOUT = 1000;

/** Milliseconds of acknowledged writes that a master which is killed may take with it: replication is asynchronous. */
const LOSS = 1000;

describeWithServer(
  "redis-cluster",
  "a Redis Cluster whose masters are killed one after the other (F-20)",
  (cluster) => {
    for (const name of ["node-redis 6", "ioredis 6"] as const) {
      it(`keeps its word, with ${name}`, { timeout: 600_000 }, async (context) => {
        // Each master once with one driver; the other one has to find its way as well.
        const rounds = isLongForm() ? 20 : name === "node-redis 6" ? 3 : 1;
        const suite = `redis cluster, ${name}: failover`;
        countInto(context, { suite });
        const driver = await clusterDrivers[name](cluster().urls);
        const store = redisStore({
          client: driver.client,
          prefix: `f20-${name.length}:`,
          replicas: 1,
        });
        const crowd = new Crowd(store);
        await crowd.join(64);
        crowd.start();
        const killed: { at: number; ids: Set<string> }[] = [];
        const gaps: number[] = [];
        let strangers = 0;
        for (let round = 0; round < rounds; round++) {
          const alive = await masters(cluster());
          const master = alive[round % alive.length] ?? expect.unreachable("there is no master");
          const ids = await heldBy(master, crowd.members);
          const before = performance.now();
          await until("everybody is served", 30_000, () =>
            crowd.members.every(({ servedAt }) => servedAt > before),
          );
          const stolen = crowd.stolen();
          const at = performance.now();
          killed.push({ at, ids });
          await master.kill();
          const gap = await until("everybody is served again", 30_000, () =>
            crowd.members.every(({ servedAt }) => servedAt > at + DEADLINE),
          );
          gaps.push(gap - (crowd.stolen() - stolen));
          for (const { id, refusedAt } of crowd.members) {
            if (!ids.has(id)) strangers += refusedAt.filter((refused) => refused > at).length;
          }
          await master.restart();
          await cluster().ready();
        }
        countInto(context, { suite, faults: rounds });
        const p99 = crowd.percentile(0.99);
        await crowd.stop();

        expect(crowd.violations).toEqual([]);
        expect(p99, "p99 of requests").toBeLessThanOrEqual(DEADLINE + 50);
        expect(Math.max(...gaps), "longest time without service").toBeLessThanOrEqual(
          NODE_TIMEOUT + 2000 + DEADLINE,
        );
        expect(strangers, "refused requests of sessions on other masters").toBe(0);

        const past = await clusterDrivers[name](cluster().urls);
        const witness = redisStore({ client: past.client, prefix: `f20-${name.length}:` });
        let lost = 0;
        let acknowledged = 0;
        for (const { id, stored } of crowd.members) {
          const record = await witness.find(id, { signal: AbortSignal.timeout(5000) });
          const kept = record?.state.metadata ?? {};
          for (const [key, storedAt] of stored) {
            acknowledged += 1;
            if (`key ${key}` in kept) continue;
            lost += 1;
            const isExcused = killed.some(
              ({ at, ids }) => ids.has(id) && storedAt < at + DEADLINE && storedAt > at - LOSS,
            );
            expect(isExcused, `key ${key} of ${id} was lost without a death beside it`).toBe(true);
          }
        }
        expect(acknowledged).toBeGreaterThan(64 * rounds);
        console.log(
          `${suite}: ${rounds} masters killed, longest gap ${Math.round(Math.max(...gaps))} ms, p99 ${Math.round(p99)} ms, ${lost} of ${acknowledged} acknowledged writes lost`,
        );
        await witness.close();
        await past.close();
        await store.close();
        await driver.close();
      });
    }
  },
  { nodeTimeout: NODE_TIMEOUT, args: ["--cluster-require-full-coverage", "no"] },
);
