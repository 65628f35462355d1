import { row as allocation } from "./allocation.ts";
import { rows as atScale } from "./at-scale.ts";
import { row as bundle } from "./bundle.ts";
import { row as flood } from "./flood.ts";
import { row as honoFetch } from "./hono-fetch.ts";
import { row as memoryStore } from "./memory-store.ts";
import { row as redis } from "./redis.ts";
import { rows as requestsInMemory } from "./requests-in-memory.ts";
import type { Row } from "./row.ts";
import { row as size } from "./size.ts";
import { postgres, sqlite } from "./sql.ts";
import { row as types } from "./types.ts";
import { row as writes } from "./writes.ts";

/** Every row, in the order in which they run. */
export const rows: readonly Row[] = [
  ...requestsInMemory,
  honoFetch,
  allocation,
  memoryStore,
  writes,
  bundle,
  types,
  flood,
  redis,
  postgres,
  sqlite,
  size,
  ...atScale,
];
