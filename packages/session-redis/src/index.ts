import type { SessionStore } from "@kyb/session-core/store";
import type { RedisStoreOptions } from "./options.ts";
import { RedisStore } from "./redis-store.ts";

export type { RedisStoreOptions } from "./options.ts";

/**
 * Sessions in Redis 6.2 or newer, Valkey, or a Cluster of these, through a connected client of `redis` (5, 6) or
 * `ioredis` (5, 6), which stays yours: the store never closes it. Any number of processes share the sessions.
 *
 * @example
 * const client = createClient({ url: "redis://127.0.0.1:6379" }).on("error", console.error);
 * await client.connect();
 * const sessions = new SessionManager({ store: redisStore({ client }) });
 *
 * @throws SessionError `INVALID_CONFIG`: an option is wrong, or the client is none of these, reads from replicas or has
 * a `keyPrefix` of its own. What the store's methods reject with: `STORE_UNAVAILABLE` (not connected, a failover, a slot
 * that moves), `STORE_FULL` (`maxmemory` reached), `STORE_MISCONFIGURED` (credentials, another number of shards),
 * `RECORD_UNREADABLE` (damaged, or of a newer version).
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  return new RedisStore(options);
}
