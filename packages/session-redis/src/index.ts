import type { SessionStore } from "@kyb/session-core/store";
import type { RedisStoreOptions } from "./options.ts";
import { RedisStore } from "./redis-store.ts";

export type { RedisStoreOptions } from "./options.ts";

export function redisStore(options: RedisStoreOptions): SessionStore {
  return new RedisStore(options);
}
