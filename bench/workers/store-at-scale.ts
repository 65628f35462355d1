import {
  type ImportedSession,
  initialState,
  type SessionStore,
  type StoreQuery,
} from "@kyb/session-core/store";
import { postgresStore } from "@kyb/session-postgres";
import { redisStore } from "@kyb/session-redis";
import pg from "pg";
import { createClient } from "redis";
import { serveParent } from "../method/serve-parent.ts";
import { percentile, spread } from "../method/statistics.ts";
import { Heartbeat } from "./blocks.ts";
import { collectionsDuring } from "./heap.ts";

const HOUR = 60 * 60 * 1000;
/** What one `import` takes at most. */
const BATCH = 100;
/** Batches under way at the same time. */
const LANES = 8;
/** Sessions of the user whose list is read. */
const OWN = 200;
const SLICE = 2;
/** Calls before anything counts. */
const WARM_UP = 20;

/** Milliseconds that a listing takes. */
export interface Listing {
  readonly median: number;
  readonly p99: number;
}

/** What a sweep of everything was like; milliseconds. */
export interface Swept {
  readonly ended: number;
  readonly slices: number;
  readonly seconds: number;
  readonly longestBlock: number;
  /** Longest pause for garbage in the same time. */
  readonly collection: number;
}

const signal = new AbortController().signal;
const call = { signal };
/** Milliseconds by which the store's clock is moved. */
let shift = 0;
let made = 0;
let store: SessionStore | undefined;
/** What a server does by itself within a minute, so that its plans fit what has just been written. */
let settle: () => Promise<void> = async () => undefined;

serveParent({ open, fill, list, sweep });

async function open({ kind, url }: { kind: string; url: string }): Promise<void> {
  const clock = { now: () => Date.now() + shift };
  if (kind === "redis") {
    const client = createClient({ url });
    client.on("error", (error) => console.error(error));
    await client.connect();
    store = redisStore({ client, clock });
  } else {
    const pool = new pg.Pool({ connectionString: url, max: LANES });
    pool.on("error", (error) => console.error(error));
    const made = postgresStore({ pool, clock });
    await made.migrate();
    store = made;
    settle = async () => {
      await pool.query("ANALYZE");
    };
  }
  store.attach({
    now: clock.now,
    activityLimit: 1000,
    activityBytes: 0,
    activityRetention: undefined,
    endedRetention: HOUR,
    maxEnded: undefined,
    metrics: true,
  });
}

/** Brings the store to `count` sessions, two for each user but one who has 200. */
async function fill(count: number): Promise<void> {
  const target = opened();
  const lanes = Array.from({ length: LANES }, async () => {
    while (made < count) {
      const first = made;
      made = Math.min(count, first + BATCH);
      const sessions = Array.from({ length: made - first }, (_, index) => sessionOf(first + index));
      const answers = await target.import(sessions, call);
      if (answers.some((answer) => answer !== "imported")) throw new Error(`import: ${answers[0]}`);
    }
  });
  await Promise.all(lanes);
  await settle();
  const { total } = await target.list(query({ limit: 1 }), call);
  if (total !== count) throw new Error(`${total} sessions are listed, ${count} were made.`);
}

/** Pages of one user's sessions, and of all. */
async function list(times: number): Promise<Record<string, Listing>> {
  const found: Record<string, Listing> = {};
  const measure = async (name: string, asked: StoreQuery): Promise<void> => {
    const durations: number[] = [];
    for (let index = -WARM_UP; index < times; index++) {
      const begunAt = performance.now();
      const page = await opened().list(asked, call);
      if (index >= 0) durations.push(performance.now() - begunAt);
      if (page.records.length !== asked.limit) throw new Error(`A page of ${page.records.length}.`);
    }
    found[name] = { median: spread(durations).median, p99: percentile(durations, 0.99) };
  };
  for (const limit of [10, 50, 200]) {
    await measure(`one user's, page of ${limit}`, query({ limit, userId: "owner" }));
    await measure(`everybody's, page of ${limit}`, query({ limit }));
  }
  const { nextCursor } = await opened().list(query({ limit: 50 }), call);
  await measure("everybody's, page of 50 by cursor", query({ limit: 50, cursor: nextCursor }));
  return found;
}

/** Everything falls due at once and is swept as the manager does it, slice by slice. */
async function sweep(): Promise<Swept> {
  shift = 25 * HOUR;
  const begunAt = performance.now();
  let ended = 0;
  let slices = 0;
  let longestBlock = 0;
  const { longest: collection } = await collectionsDuring(async () => {
    const heartbeat = new Heartbeat();
    for (let more = true; more; slices++) {
      const result = await opened().sweep({ milliseconds: SLICE }, call);
      ended += result.ended;
      more = result.more;
    }
    longestBlock = await heartbeat.stop();
  });
  if (ended !== made) throw new Error(`${ended} of ${made} sessions were swept.`);
  const seconds = (performance.now() - begunAt) / 1000;
  return { ended, slices, seconds, longestBlock, collection };
}

function opened(): SessionStore {
  if (store === undefined) throw new Error("No store is open.");
  return store;
}

function sessionOf(index: number): ImportedSession {
  // Spread over an hour, as sessions are.
  const now = Date.now() - HOUR + (index % 3_600_000);
  const state = initialState(
    {
      id: `session-${index}`.padEnd(32, "_"),
      secretHash: `hash-${index}`.padEnd(43, "_"),
      transport: "cookie",
      userId: index % 50 === 0 && index < OWN * 50 ? "owner" : `user-${index >> 1}`,
      ipAddress: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
      userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      idleTimeout: 24 * HOUR,
      absoluteTimeout: 720 * HOUR,
      provisionalTimeout: undefined,
      metadata: {},
      metadataBytes: 2,
    },
    now,
  );
  return {
    record: {
      state,
      lastAccessTime: now,
      lastActivityTime: now,
      requestCount: 0,
      confirmed: true,
      endedAt: undefined,
      endReason: undefined,
    },
    entries: [],
  };
}

function query(asked: { limit: number; userId?: string; cursor?: string | undefined }): StoreQuery {
  return {
    userId: asked.userId,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "descending",
    limit: asked.limit,
    offset: 0,
    cursor: asked.cursor,
  };
}
