import type { ActivityEntry } from "../activity/entry.ts";
import { isSessionError } from "../errors.ts";
import { nextTurn } from "../internal/timer.ts";
import type { EndReason, SessionRecord } from "../record.ts";
import type { ImportedSession, SessionStore, StoreCall, StoreEvent } from "../store.ts";
import type { StorePage, StoreQuery } from "../store-query.ts";
import type { MigrationCounts } from "./report.ts";

/** Entries of a timeline that are read at a time. */
const TIMELINE_PAGE = 1000;

/** Ends that the clock brings about: the target has one of its own, and has perhaps seen the user later. */
const BY_THE_CLOCK: ReadonlySet<EndReason> = new Set(["idle", "absolute", "provisional"]);

export interface MigrationParts {
  readonly from: SessionStore;
  readonly to: SessionStore;
  readonly activity: boolean;
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  readonly counts: MigrationCounts;
}

/**
 * One run of a migration. First all live sessions are copied, page by page, oldest first, so that those that are made
 * meanwhile come last. Then everything that the target has is looked up in the source, where it may have ended or gone on
 * since. Ends of the source are heard all the while and done in the target after each batch.
 */
export class Migration {
  readonly #from: SessionStore;
  readonly #to: SessionStore;
  readonly #withActivity: boolean;
  readonly #batchSize: number;
  readonly #signal: AbortSignal | undefined;
  readonly #call: StoreCall;
  readonly #counts: MigrationCounts;
  /** Everything that the run has come across, by id. */
  readonly #seen = new Map<string, Seen>();
  #endings: { readonly id: string; readonly reason: EndReason }[] = [];

  constructor({ from, to, activity, batchSize, signal, counts }: MigrationParts) {
    this.#from = from;
    this.#to = to;
    this.#withActivity = activity;
    this.#batchSize = batchSize;
    this.#signal = signal;
    this.#call = { signal: signal ?? new AbortController().signal };
    this.#counts = counts;
  }

  async run(progress: () => void): Promise<void> {
    const stop = this.#from.subscribe((event) => this.#hear(event));
    try {
      for await (const { records, total } of this.#pages(this.#from)) {
        this.#counts.total ??= total;
        await this.#copy(records);
        await this.#end();
        progress();
        await nextTurn();
      }
      for await (const { records } of this.#pages(this.#to)) {
        await this.#review(records.map(({ state }) => state.id));
        await this.#end();
        progress();
        await nextTurn();
      }
    } finally {
      stop();
    }
  }

  async *#pages(store: SessionStore): AsyncGenerator<StorePage> {
    let cursor: string | undefined;
    do {
      this.#signal?.throwIfAborted();
      const page = await store.list(oldestFirst(this.#batchSize, cursor), this.#call);
      yield page;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  async #copy(records: readonly SessionRecord[]): Promise<void> {
    const sessions = await this.#withTimelines(records.map((record) => ({ record })));
    const statuses = await this.#to.import(sessions, this.#call);
    const known: SessionRecord[] = [];
    for (const [index, { record }] of sessions.entries()) {
      if (statuses[index] === "gone") {
        this.#counts.gone += 1;
        continue;
      }
      this.#seen.set(record.state.id, seenOf(record));
      if (statuses[index] === "imported") this.#counts.copied += 1;
      else known.push(record);
    }
    const updated = await this.#update(known);
    this.#counts.skipped += known.length - updated;
  }

  /** Looks again at what the target has: whether it has ended or gone on in the source, now or since an earlier run. */
  async #review(ids: readonly string[]): Promise<void> {
    const records = await Promise.all(ids.map((id) => this.#find(this.#from, id)));
    const moved: SessionRecord[] = [];
    for (const [index, id] of ids.entries()) {
      const record = records[index];
      if (record === "unreadable") continue;
      if (record === undefined) {
        // The source has ended and forgotten it meanwhile. One that it never had is the target's own.
        if (this.#seen.has(id)) this.#endings.push({ id, reason: "revoked" });
      } else if (record.endedAt !== undefined) this.#noteEnd(id, record.endReason);
      else if (hasMoved(record, this.#seen.get(id))) moved.push(record);
    }
    await this.#update(moved);
  }

  /** Brings sessions of the target up to date where the source is ahead; answers how many. */
  async #update(records: readonly SessionRecord[]): Promise<number> {
    const there = await Promise.all(records.map(({ state }) => this.#find(this.#to, state.id)));
    const behind = records.flatMap((record, index) => {
      const known = there[index];
      if (known === undefined || known === "unreadable" || !isAhead(record, known)) return [];
      return [{ record, over: known.state.version }];
    });
    if (behind.length === 0) return 0;
    const statuses = await this.#to.import(await this.#withTimelines(behind), this.#call);
    const updated = statuses.filter((status) => status === "imported").length;
    this.#counts.updated += updated;
    return updated;
  }

  #hear({ type, sessionId, reason }: StoreEvent): void {
    if (type === "ended") this.#noteEnd(sessionId, reason);
  }

  #noteEnd(id: string, reason: EndReason | undefined): void {
    if (reason === undefined || !BY_THE_CLOCK.has(reason))
      this.#endings.push({ id, reason: reason ?? "revoked" });
  }

  /** Ends in the target what has ended in the source. */
  async #end(): Promise<void> {
    while (this.#endings.length > 0) {
      const endings = this.#endings.splice(0, this.#batchSize);
      const results = await Promise.all(
        endings.map(({ id, reason }) => this.#to.end(id, reason, {}, this.#call)),
      );
      this.#counts.ended += results.filter(({ status }) => status === "ended").length;
    }
  }

  async #withTimelines(
    sessions: readonly Omit<ImportedSession, "entries">[],
  ): Promise<ImportedSession[]> {
    return Promise.all(
      sessions.map(async (session) => ({
        ...session,
        entries: this.#withActivity ? await this.#timeline(session.record.state.id) : [],
      })),
    );
  }

  async #timeline(id: string): Promise<readonly ActivityEntry[]> {
    const entries: ActivityEntry[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: TIMELINE_PAGE, offset: 0, cursor };
      const page = await this.#from.activity(id, query, this.#call);
      entries.push(...(page?.entries ?? []));
      cursor = page?.nextCursor;
    } while (cursor !== undefined);
    return entries;
  }

  async #find(store: SessionStore, id: string): Promise<SessionRecord | "unreadable" | undefined> {
    try {
      return await store.find(id, this.#call);
    } catch (error) {
      if (!isSessionError(error) || error.code !== "RECORD_UNREADABLE") throw error;
      this.#counts.unreadable += 1;
      return "unreadable";
    }
  }
}

/** How far a session had come. */
type Seen = readonly [version: number, lastAccessTime: number];

function seenOf({ state, lastAccessTime }: SessionRecord): Seen {
  return [state.version, lastAccessTime];
}

function hasMoved(record: SessionRecord, seen: Seen | undefined): boolean {
  const [version, lastAccessTime] = seenOf(record);
  return version !== seen?.[0] || lastAccessTime !== seen[1];
}

/**
 * Whether the source's record is the one to keep: it has gone on, and the target's has not been used later. `import` itself
 * sees to it that nothing that has ended, and nothing that was signed in further in the target, is taken back.
 */
function isAhead(source: SessionRecord, target: SessionRecord): boolean {
  if (source.state.version > target.state.version)
    return source.lastAccessTime >= target.lastAccessTime;
  return (
    source.state.version === target.state.version && source.lastAccessTime > target.lastAccessTime
  );
}

function oldestFirst(limit: number, cursor: string | undefined): StoreQuery {
  return {
    userId: undefined,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "ascending",
    limit,
    offset: 0,
    cursor,
  };
}
