import {
  DURATION_BUCKETS,
  type EndReason,
  MAX_ENDPOINTS,
  type RequestSample,
} from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { encodeText } from "./text.ts";

export const SECOND = 1000;
export const HOUR = 3_600_000;
/** Stretches that are kept of each kind: what is older has fallen out of its window. */
export const WINDOWS = { started: 24, second: 60, seen: 300 } as const;
/** Stands for all endpoints that are not counted one by one. */
export const OTHER_ENDPOINTS = "(other)";

/** Rows of `kyb_counts`, by kind. */
type Kind = keyof typeof WINDOWS | "status" | "duration" | "other" | `ended ${EndReason}`;

/** What a transaction counts; written with {@link store}, each number once. */
export class Counts {
  readonly #changes = new Map<string, { kind: Kind; slot: number; by: number }>();
  readonly #endpoints = new Map<string, number>();
  /** Users of the requests, as they are stored. */
  readonly #users = new Set<string>();

  started(now: number): void {
    this.#add("started", Math.floor(now / HOUR));
  }

  ended(reason: EndReason): void {
    this.#add(`ended ${reason}`, 0);
  }

  /** `userId`: as it is stored. */
  request(sample: RequestSample, userId: string | null, now: number): void {
    this.#add("second", Math.floor(now / SECOND));
    const hundreds = Math.floor(sample.statusCode / 100);
    this.#add("status", hundreds >= 1 && hundreds <= 5 ? hundreds : 0);
    const bucket = DURATION_BUCKETS.findIndex((bound) => sample.duration <= bound);
    this.#add("duration", bucket === -1 ? DURATION_BUCKETS.length : bucket);
    const endpoint = encodeText(sample.endpoint);
    this.#endpoints.set(endpoint, (this.#endpoints.get(endpoint) ?? 0) + 1);
    if (userId !== null) this.#users.add(userId);
  }

  store(db: Connection, now: number): void {
    for (const userId of this.#users) this.#see(db, userId, Math.floor(now / SECOND));
    if (this.#endpoints.size > 0) this.#storeEndpoints(db);
    for (const { kind, slot, by } of this.#changes.values()) {
      db.run(
        "INSERT INTO kyb_counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        kind,
        slot,
        by,
      );
    }
  }

  /** Each user is counted in the second in which they were last seen, so that nobody has to count users. */
  #see(db: Connection, userId: string, second: number): void {
    const last = db.get<{ second: number }>(
      "SELECT second FROM kyb_users_seen WHERE user_id = ?",
      userId,
    );
    if (last !== undefined && last.second >= second) return;
    db.run("INSERT OR REPLACE INTO kyb_users_seen VALUES (?, ?)", userId, second);
    if (last !== undefined) this.#add("seen", last.second, -1);
    this.#add("seen", second);
  }

  /**
   * A new endpoint takes the place of the least requested one, whose count goes to the others: so a flood of invented
   * paths cannot keep the real ones out, and the sum is always exact.
   */
  #storeEndpoints(db: Connection): void {
    const stored = new Map<string, number>();
    for (const { endpoint, requests } of allEndpoints(db)) stored.set(endpoint, requests);
    const counts = new Map(stored);
    for (const [endpoint, by] of this.#endpoints) {
      const isNew = !counts.has(endpoint);
      // One place is for the others.
      if (isNew && counts.size >= MAX_ENDPOINTS - 1) this.#add("other", 0, dropLeast(counts));
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + by);
    }
    for (const endpoint of stored.keys()) {
      if (!counts.has(endpoint)) db.run("DELETE FROM kyb_endpoints WHERE endpoint = ?", endpoint);
    }
    for (const [endpoint, requests] of counts) {
      if (stored.get(endpoint) === requests) continue;
      db.run("INSERT OR REPLACE INTO kyb_endpoints VALUES (?, ?)", endpoint, requests);
    }
  }

  #add(kind: Kind, slot: number, by = 1): void {
    const key = `${kind} ${slot}`;
    const change = this.#changes.get(key);
    if (change === undefined) this.#changes.set(key, { kind, slot, by });
    else change.by += by;
  }
}

export function allEndpoints(db: Connection): { endpoint: string; requests: number }[] {
  return db.all("SELECT endpoint, requests FROM kyb_endpoints");
}

/** Takes the smallest count out and answers it. */
function dropLeast(counts: Map<string, number>): number {
  let least: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const [endpoint, count] of counts) {
    if (count >= fewest) continue;
    least = endpoint;
    fewest = count;
  }
  if (least !== undefined) counts.delete(least);
  return least === undefined ? 0 : fewest;
}
