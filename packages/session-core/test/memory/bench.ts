import type { ActivityEntry } from "../../src/activity/entry.ts";
import type { Commit, CommitResult } from "../../src/commit.ts";
import {
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStore,
} from "../../src/memory/memory-store.ts";
import type { CreateLimits, CreateResult, NewSession } from "../../src/new-session.ts";
import type { EndReason, SessionRecord } from "../../src/record.ts";
import type { StoreEvent } from "../../src/store.ts";
import type { ActivityPage, ActivityQuery, StorePage, StoreQuery } from "../../src/store-query.ts";
import type { TrackItem } from "../../src/track-batch.ts";
import { START } from "../support/clock.ts";
import { commitOf, hashOf, newSession, signInOf } from "../support/records.ts";

/** A store with a clock that a test moves, and everything that was heard of it. */
export class Bench {
  now: number = START;
  /** Milliseconds that each look at the monotonic clock takes. */
  tick = 0;
  readonly store: MemoryStore;
  readonly events: StoreEvent[] = [];
  #monotonic = 0;
  #commits = 0;

  constructor(options: MemoryStoreOptions = {}) {
    const monotonic = (): number => {
      this.#monotonic += this.tick;
      return this.#monotonic;
    };
    this.store = memoryStore({ now: () => this.now, monotonic, ...options });
    this.store.subscribe((event) => this.events.push(event));
  }

  create(
    id: string,
    session: Partial<NewSession> = {},
    limits: Partial<CreateLimits> = {},
  ): CreateResult {
    const given = newSession({ id, secretHash: hashOf(id), ...session });
    return this.store.create(given, { maxSessions: undefined, user: undefined, ...limits });
  }

  commit(id: string, commit: Partial<Commit> = {}): CommitResult {
    this.#commits++;
    return this.store.commit(id, commitOf({ opId: `op ${this.#commits}`, ...commit }));
  }

  /** Signs in, whatever the session's epoch is. */
  signIn(id: string, change: Parameters<typeof signInOf>[0] = {}): CommitResult {
    const epoch = this.store.find(id)?.state.epoch ?? 0;
    return this.commit(id, {
      epoch,
      change: signInOf({ secretHash: hashOf(`${id} ${epoch}`), ...change }),
    });
  }

  track(...items: TrackItem[]): void {
    this.store.track({ instance: "bench", sequence: 0, items });
  }

  /** A request of the user that has just arrived. */
  request(id: string, item: Partial<TrackItem> = {}, entry: Partial<ActivityEntry> = {}): void {
    this.track(requestOf(id, this.now, item, entry));
  }

  end(id: string, reason: EndReason = "revoked"): string {
    return this.store.end(id, reason, {}).status;
  }

  /** Ends the sessions of a user who has few, which is answered at once. */
  endUser(userId: string, reason: EndReason = "revoked", except?: string): readonly string[] {
    const answer = this.store.endUser(userId, reason, { except });
    if (!("ended" in answer)) throw new Error(`${userId} has too many sessions.`);
    return answer.ended;
  }

  /** A session that has to be there. */
  read(id: string): SessionRecord {
    const record = this.store.find(id);
    if (record === undefined) throw new Error(`There is no session ${id}.`);
    return record;
  }

  reasonOf(id: string): EndReason | undefined {
    return this.read(id).endReason;
  }

  sweep(milliseconds: number = Number.POSITIVE_INFINITY): { ended: number; more: boolean } {
    return this.store.sweep({ milliseconds });
  }

  list(query: Partial<StoreQuery> = {}): StorePage {
    return this.store.list(queryOf(query));
  }

  ids(query: Partial<StoreQuery> = {}): string[] {
    return this.list(query).records.map(({ state }) => state.id);
  }

  /** The ids of all pages, one after the other; `between` runs after each. */
  pages(query: Partial<StoreQuery>, between: () => void = () => undefined): string[] {
    const ids: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < 10_000; pages++) {
      const page = this.list({ ...query, cursor, ...(cursor === undefined ? {} : { offset: 0 }) });
      ids.push(...page.records.map(({ state }) => state.id));
      cursor = page.nextCursor;
      if (cursor === undefined) return ids;
      between();
    }
    throw new Error("The pages do not end.");
  }

  timeline(id: string, query: Partial<ActivityQuery> = {}): ActivityPage {
    const page = this.store.activity(id, { limit: 1000, offset: 0, cursor: undefined, ...query });
    if (page === undefined) throw new Error(`There is no session ${id}.`);
    return page;
  }

  heard(type: StoreEvent["type"]): string[] {
    return this.events.filter((event) => event.type === type).map(({ sessionId }) => sessionId);
  }
}

export function queryOf(query: Partial<StoreQuery> = {}): StoreQuery {
  return {
    userId: undefined,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "ascending",
    limit: 100,
    offset: 0,
    cursor: undefined,
    ...query,
  };
}

export function requestOf(
  id: string,
  at: number,
  item: Partial<TrackItem> = {},
  entry: Partial<ActivityEntry> = {},
): TrackItem {
  const request: ActivityEntry = {
    timestamp: at,
    action: "request",
    endpoint: "/",
    method: "GET",
    statusCode: 200,
    duration: 1.5,
    requestSize: 0,
    responseSize: 10,
    ...entry,
  };
  return {
    id,
    seenAt: at,
    access: true,
    active: true,
    confirm: true,
    request,
    entry: request,
    ...item,
  };
}

/** The code of what a call throws, or what it answers. */
export function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}
