import { describeWithServer } from "@kyb/session-testkit";
import type { RedisSentinel } from "@kyb/session-testkit/servers";
import { Redis as Ioredis6 } from "ioredis";
import { Redis as Ioredis5 } from "ioredis5";
import { createSentinel as createSentinel6 } from "redis";
import { createSentinel as createSentinel5 } from "redis5";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";
import { Crowd, until } from "./cluster-crowd.ts";

interface SentinelClient {
  readonly client: object;
  close(): Promise<void>;
}

/** What is used of node-redis here; its own types for this take the compiler minutes. */
interface NodeRedisSentinel {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}
interface SentinelOptions {
  name: string;
  sentinels: { host: string; port: number }[];
  lazyConnect: boolean;
}
type CreateSentinel = (options: object) => NodeRedisSentinel;

const clients = {
  "node-redis 6": nodeRedis(createSentinel6 as unknown as CreateSentinel),
  "node-redis 5": nodeRedis(createSentinel5 as unknown as CreateSentinel),
  "ioredis 6": ioredis((options) => new Ioredis6(options)),
  "ioredis 5": ioredis((options) => new Ioredis5(options)),
} as const;

for (const [name, connect] of Object.entries(clients)) {
  describeWithServer("redis-sentinel", `a primary behind a Sentinel, with ${name}`, (sentinel) => {
    it("dies under load: its replica goes on, nothing confirmed is lost, nothing that ended comes back (F-22)", {
      timeout: 120_000,
    }, async () => {
      const [primary, replica] = sentinel().nodes;
      const { client, close } = await connect(sentinel());
      const replicas = name === "node-redis 5" ? 0 : 1;
      const store = redisStore({ client, replicas });
      const crowd = new Crowd(store);
      await crowd.join(12);
      // A replica counts as online before it has loaded what it was sent; it confirms a write only afterwards.
      await primary.command("SET", "in sync", 1);
      await until("the replica is in sync", 10_000, async () => {
        return Number(await primary.command("WAIT", 1, 1000)) === 1;
      });
      const [accepted] = crowd.members.splice(0, 1);
      if (accepted === undefined) throw new Error("Nobody has joined.");
      // Until the connection for that is made, nothing is confirmed.
      let ended = accepted;
      await until("an end is confirmed", 10_000, async () => {
        await crowd.join(1);
        ended = crowd.members.pop() ?? expect.unreachable("nobody has joined");
        return (await crowd.manager.revoke(ended.id)).durable === replicas > 0;
      });
      crowd.start();
      await until("everybody was served", 10_000, () =>
        crowd.members.every(({ stored }) => stored.size > 2),
      );
      replica.pause();
      expect(await crowd.manager.revoke(accepted.id)).toEqual({ ended: 1, durable: false });
      await primary.kill();
      replica.resume();
      const killedAt = performance.now();
      await until("everybody is served again", 30_000, () =>
        crowd.members.every(({ servedAt }) => servedAt > killedAt),
      );
      await until("what was only accepted has ended again", 5000, async () => {
        return (await crowd.opens(accepted)) === false;
      });
      expect(await crowd.opens(ended)).toBe(false);
      await crowd.stop();
      expect(crowd.violations).toEqual([]);
      await store.close();
      await close();
    });
  });
}

function nodeRedis(create: CreateSentinel) {
  return async ({ name, port }: RedisSentinel): Promise<SentinelClient> => {
    const sentinelRootNodes = [{ host: "127.0.0.1", port }];
    const client = create({ name, sentinelRootNodes, scanInterval: 200 });
    client.on("error", () => undefined);
    await client.connect();
    return { client, close: async () => void client.destroy() };
  };
}

function ioredis(create: (options: SentinelOptions) => Ioredis5 | Ioredis6) {
  return async ({ name, port }: RedisSentinel): Promise<SentinelClient> => {
    const sentinels = [{ host: "127.0.0.1", port }];
    const client = create({ name, sentinels, lazyConnect: true });
    client.on("error", () => undefined);
    await client.connect();
    return { client, close: async () => client.disconnect() };
  };
}

it("cannot be asked about replicas through redis 5, which is said at once (R-61)", async () => {
  const client = (createSentinel5 as unknown as CreateSentinel)({
    name: "main",
    sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }],
  });
  expect(() => redisStore({ client, replicas: 1 })).toThrow(
    /^replicas must be 0 with the Sentinel client of redis 5/,
  );
});
