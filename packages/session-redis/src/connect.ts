import { SessionError } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { connectIoredis, isIoredis } from "./ioredis.ts";
import { connectNodeRedis, isNodeRedis } from "./node-redis.ts";

/** Adapts a client of `redis` (node-redis 5, 6) or `ioredis` (5, 6), known by what it can do. */
export function connectionOf(client: unknown): RedisConnection {
  if (typeof client === "object" && client !== null) {
    if (isIoredis(client)) return connectIoredis(client);
    if (isNodeRedis(client)) return connectNodeRedis(client);
  }
  throw new SessionError(
    "INVALID_CONFIG",
    "client must be a client, cluster or sentinel client of the package redis, or a Redis or Cluster of ioredis.",
  );
}
