import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  type ActivityEntry,
  type ImportedSession,
  initialState,
  type SessionStore,
} from "@kyb/session-core/store";
import { postgresStore } from "@kyb/session-postgres";
import { redisStore } from "@kyb/session-redis";
import { sqliteStore } from "@kyb/session-sqlite";
import pg from "pg";
import { createClient } from "redis";
import { serveParent } from "../method/serve-parent.ts";

const HOUR = 60 * 60 * 1000;
/** What one `import` takes at most. */
const BATCH = 100;
const PATHS = 12;

/** A store, and the bytes that everything in it takes. */
interface Sized {
  readonly store: SessionStore;
  measure(): Promise<number>;
  close(): Promise<void>;
}

const signal = new AbortController().signal;

serveParent({ size });

/** Bytes that a session takes with so many entries in its timeline. */
async function size(asked: {
  kind: "redis" | "postgres" | "sqlite";
  url: string;
  sessions: number;
  entries: number;
}): Promise<number> {
  const sized = await open(asked.kind, asked.url);
  const { store } = sized;
  store.attach({
    now: Date.now,
    activityLimit: 1000,
    activityBytes: 0,
    activityRetention: undefined,
    endedRetention: HOUR,
    maxEnded: undefined,
    metrics: true,
  });
  try {
    await fill(store, 0, BATCH, asked.entries);
    const before = await sized.measure();
    await fill(store, BATCH, asked.sessions, asked.entries);
    return ((await sized.measure()) - before) / asked.sessions;
  } finally {
    await sized.close();
  }
}

async function fill(
  store: SessionStore,
  from: number,
  count: number,
  entries: number,
): Promise<void> {
  for (let first = from; first < from + count; first += BATCH) {
    const sessions = Array.from({ length: BATCH }, (_, at) => sessionOf(first + at, entries));
    const answers = await store.import(sessions, { signal });
    if (answers.some((answer) => answer !== "imported")) throw new Error(`import: ${answers[0]}`);
  }
}

async function open(kind: "redis" | "postgres" | "sqlite", url: string): Promise<Sized> {
  if (kind === "redis") {
    const client = createClient({ url });
    client.on("error", (error) => console.error(error));
    await client.connect();
    await client.flushAll();
    return {
      store: redisStore({ client }),
      measure: async () =>
        Number(/^used_memory:(\d+)/m.exec(String(await client.info("memory")))?.[1]),
      close: () => client.close(),
    };
  }
  if (kind === "postgres") {
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", (error) => console.error(error));
    const table = `size_${process.hrtime.bigint()}`;
    const store = postgresStore({ pool, table });
    await store.migrate();
    const sum = `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
      WHERE relkind = 'r' AND starts_with(relname, $1)`;
    return {
      store,
      measure: async () => (await pool.query<{ bytes: number }>(sum, [table])).rows[0]?.bytes ?? 0,
      close: () => pool.end(),
    };
  }
  const folder = mkdtempSync(join(tmpdir(), "kyb-bench-size-"));
  const path = join(folder, "sessions.db");
  const store = sqliteStore({ path });
  return {
    store,
    measure: async () => {
      const database = new DatabaseSync(path);
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      database.close();
      return statSync(path).size;
    },
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A signed-in session as an application has it: two for each user, a cart and a theme. */
function sessionOf(index: number, entries: number): ImportedSession {
  const now = Date.now() - HOUR + (index % 3_600_000);
  const metadata = { theme: "dark", cart: [{ id: index, count: 1 }] };
  const state = initialState(
    {
      id: `session-${index}`.padEnd(32, "_"),
      secretHash: `hash-${index}`.padEnd(43, "_"),
      transport: "cookie",
      userId: `user-${index >> 1}`,
      ipAddress: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
      userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      idleTimeout: 24 * HOUR,
      absoluteTimeout: 720 * HOUR,
      provisionalTimeout: undefined,
      metadata,
      metadataBytes: JSON.stringify(metadata).length,
    },
    now,
  );
  return {
    record: {
      state,
      lastAccessTime: now,
      lastActivityTime: now,
      requestCount: entries,
      confirmed: true,
      endedAt: undefined,
      endReason: undefined,
    },
    entries: Array.from({ length: entries }, (_, at) => entryOf(now - at * 1000, at)),
  };
}

function entryOf(timestamp: number, at: number): ActivityEntry {
  return {
    timestamp,
    action: "request",
    endpoint: `/shop/articles/${at % PATHS}`,
    method: "GET",
    statusCode: 200,
    duration: 1.25 + at,
    requestSize: 0,
    responseSize: 4096 + at,
  };
}
