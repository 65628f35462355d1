import { memoryStore } from "@kyb/session-core";
import type { SessionStore } from "@kyb/session-core/store";
import { explain } from "./explain.ts";
import { CannotStart, type StoreSettings } from "./settings.ts";

/** A store that is ready for use, with what has to be closed when the program ends. */
export interface OpenStore {
  readonly store: SessionStore;
  /** Closes the store, and the connections below it. */
  close(): Promise<void>;
}

/** Longest time that the first look at a store may take, milliseconds. */
const PATIENCE = 5000;

/** Changing the store is changing these lines. Only the chosen one is loaded. */
const OPENERS: Readonly<Record<StoreSettings["kind"], (url: string) => Promise<OpenStore>>> = {
  memory: async () => closing(memoryStore()),
  sqlite: openSqlite,
  redis: openRedis,
  postgres: openPostgres,
};

/** Throws `CannotStart` for a store that cannot be reached or used. */
export async function openStore({ kind, url }: StoreSettings): Promise<OpenStore> {
  try {
    return await OPENERS[kind](url);
  } catch (cause) {
    const sentence = `The store ${kind}${placeOf(kind, url)} cannot be used: ${explain(cause)}.`;
    throw new CannotStart(`${sentence} KYB_DEMO_STORE_URL says where it is.`, { cause });
  }
}

/** Where the store was looked for, without the password that a URL may have. */
function placeOf(kind: StoreSettings["kind"], url: string): string {
  if (kind === "sqlite") return ` at ${url}`;
  return URL.canParse(url) ? ` at ${new URL(url).host}` : "";
}

async function openSqlite(path: string): Promise<OpenStore> {
  const { sqliteStore } = await import("@kyb/session-sqlite");
  const open = closing(sqliteStore({ path }));
  return ready(open, () => open.store.metrics({ signal: AbortSignal.timeout(PATIENCE) }));
}

async function openRedis(url: string): Promise<OpenStore> {
  const { redisStore } = await import("@kyb/session-redis");
  const { createClient } = await import("redis");
  let isUp = false;
  const client = createClient({
    url,
    // Who is not there at the start is named at once; who leaves later is waited for.
    socket: { reconnectStrategy: (retries) => isUp && Math.min(50 * retries, 500) },
  });
  client.on("error", (error: Error) => isUp && console.error(`redis: ${explain(error)}`));
  await client.connect();
  isUp = true;
  const open = closing(redisStore({ client }), () => client.close());
  return ready(open, () => open.store.metrics({ signal: AbortSignal.timeout(PATIENCE) }));
}

async function openPostgres(url: string): Promise<OpenStore> {
  const { postgresStore } = await import("@kyb/session-postgres");
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 1000 });
  pool.on("error", (error) => console.error(`postgres: ${explain(error)}`));
  const store = postgresStore({ pool });
  return ready(
    closing(store, () => pool.end()),
    () => store.migrate(),
  );
}

function closing(store: SessionStore, disconnect?: () => Promise<unknown>): OpenStore {
  return {
    store,
    close: async () => {
      await store.close();
      await disconnect?.();
    },
  };
}

/** Tries the store, so that one that does not work is named before anybody is served. */
async function ready(open: OpenStore, attempt: () => unknown): Promise<OpenStore> {
  try {
    await attempt();
    return open;
  } catch (error) {
    await open.close();
    throw error;
  }
}
