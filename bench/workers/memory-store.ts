import { setTimeout as pause } from "node:timers/promises";
import type { Sample } from "../method/rounds.ts";
import { serveParent } from "../method/serve-parent.ts";
import { percentile, type Spread, spread } from "../method/statistics.ts";
import { Heartbeat, timeEach } from "./blocks.ts";
import { type Collections, collectionsDuring, type MemoryUse, settledMemory } from "./heap.ts";
import { Population } from "./population.ts";

const REQUESTS_EACH = 20;
const CROWD = 10_000;
const HOUR = 60 * 60 * 1000;
const PAGE = 50;
/** Milliseconds that the sweeper is given to end what is due. */
const PATIENCE = 60_000;

/** Milliseconds of many calls of one kind. */
export interface Durations {
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

/** Longest stand-still of the event loop, and the longest pause for garbage within the same time; milliseconds. */
export interface Block {
  readonly longest: number;
  readonly collection: number;
  readonly ended: number;
}

let population = new Population(0);
let seed = 1;

serveParent({ fill, track, visits, run, reads, sweeps, revoke });

/** Makes the sessions and answers what one costs, once nothing else takes part. */
async function fill(count: number): Promise<{ before: MemoryUse; after: MemoryUse }> {
  // What running code costs once is not what a session costs.
  const rehearsal = new Population(5000);
  await rehearsal.fill(5000, REQUESTS_EACH);
  await rehearsal.manager.close();
  population = new Population(count);
  const before = await settledMemory();
  await population.fill(count, REQUESTS_EACH, Math.min(CROWD, count / 10));
  const after = await settledMemory();
  for (const session of [0, 1, count - 1]) {
    const { total } = await population.manager.activity(population.idOf(session), { limit: 1 });
    if (total !== REQUESTS_EACH)
      throw new Error(`A session kept ${total} of its ${REQUESTS_EACH} lines.`);
  }
  return { before, after };
}

/** Garbage collection while the store tracks so many requests, as the manager gives them to it. */
function track(times: number): Promise<Collections> {
  const { store, size } = population;
  const ids = Array.from({ length: Math.min(size, 10_000) }, () => population.idOf(younger()));
  return collectionsDuring(async () => {
    for (let index = 0; index < times; index++) {
      const now = population.clock.now();
      const entry = {
        timestamp: now,
        action: "request",
        endpoint: "/articles/1",
        method: "GET",
        statusCode: 200,
        duration: 1.5,
        requestSize: 0,
        responseSize: 512,
      };
      const id = ids[index % ids.length] ?? "";
      const item = {
        id,
        seenAt: now,
        access: true,
        active: true,
        confirm: true,
        request: entry,
        entry,
      };
      store.track({ instance: "bench", sequence: 0, items: [item] });
      if (index % 1000 === 999) await pause(0);
    }
  });
}

/** Garbage collection while so many whole requests run. */
function visits(times: number): Promise<Collections> {
  return collectionsDuring(async () => {
    for (let index = 0; index < times; index++) {
      await population.request(younger(), index);
      if (index % 1000 === 999) await pause(0);
    }
  });
}

/** Requests of sessions drawn at random. */
async function run(milliseconds: number): Promise<Sample> {
  const before = process.cpuUsage();
  const begunAt = performance.now();
  let operations = 0;
  let now = begunAt;
  while (now - begunAt < milliseconds) {
    for (let request = 0; request < 200; request++) await population.request(younger(), request);
    operations += 200;
    now = performance.now();
  }
  const { user, system } = process.cpuUsage(before);
  return { operations, cpuMicros: user + system, wallMillis: now - begunAt };
}

/** What reading costs among all sessions. */
async function reads(times: number): Promise<Record<string, Durations>> {
  const { manager, size } = population;
  const { items, nextCursor } = await manager.list({ limit: PAGE });
  if (items.length !== PAGE || nextCursor === undefined)
    throw new Error("The first page is not full.");
  const own = await manager.list({ userId: "user-7" });
  if (own.items.length !== 2) throw new Error(`user-7 has ${own.items.length} sessions.`);
  const found: Record<string, Durations> = {};
  const measure = async (name: string, call: (index: number) => unknown): Promise<void> => {
    await timeEach(times, call);
    found[name] = summary(await timeEach(times, call));
  };
  const userId = (): string => `user-${random(size - CROWD) >> 1}`;
  await measure("metrics", () => manager.metrics());
  await measure("one user's sessions", () => manager.list({ userId: userId() }));
  await measure("first page", () => manager.list({ limit: PAGE }));
  await measure("a page by cursor", () => manager.list({ limit: PAGE, cursor: nextCursor }));
  await measure("a page by last access", () =>
    manager.list({ limit: PAGE, sort: "lastAccessTime" }),
  );
  await measure("a page at offset 10,000", () => manager.list({ limit: PAGE, offset: 10_000 }));
  await measure("a search by user", () => manager.list({ limit: PAGE, search: "user-12" }));
  return found;
}

/** Blocks by the sweeper, which runs by itself once a second: nothing due, one hundredth, all. */
async function sweeps(): Promise<Record<string, Block>> {
  const before = await live();
  const nothing = await sweepUntil(0, before);
  const some = await sweepUntil(24 * HOUR - HOUR / 2, before - Math.floor(population.size / 100));
  const all = await sweepUntil(25 * HOUR, 0);
  return { "nothing due": nothing, "1 % due": some, "all due": all };
}

/** Ends the sessions of the user who has thousands. */
async function revoke(): Promise<Block> {
  let ended = 0;
  let longest = 0;
  const { longest: collection } = await collectionsDuring(async () => {
    const heartbeat = new Heartbeat();
    ({ ended } = await population.manager.revokeUser("crowd"));
    longest = await heartbeat.stop();
  });
  return { longest, collection, ended };
}

async function sweepUntil(shift: number, left: number): Promise<Block> {
  const before = await live();
  let longest = 0;
  const { longest: collection } = await collectionsDuring(async () => {
    const heartbeat = new Heartbeat();
    population.clock.shift = shift;
    const giveUpAt = performance.now() + PATIENCE;
    // One round of the sweeper at least, also where there is nothing to wait for.
    do await pause(1200);
    while ((await live()) > left && performance.now() < giveUpAt);
    longest = await heartbeat.stop();
  });
  const after = await live();
  if (after > left) throw new Error(`${after} sessions are live where ${left} should be.`);
  return { longest, collection, ended: before - after };
}

async function live(): Promise<number> {
  return (await population.manager.metrics()).activeSessions;
}

function summary(durations: readonly number[]): Durations {
  const { median, max }: Spread = spread(durations);
  return { median, p99: percentile(durations, 0.99), longest: max };
}

/** A session drawn at random, but none of the oldest hundredth: those are left to fall due by themselves. */
function younger(): number {
  const older = Math.ceil(population.size / 100);
  return older + random(population.size - older);
}

/** A number below `limit`; always the same series (xorshift). */
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}
