import {
  type ActivityPage,
  type ActivityQuery,
  type Commit,
  type CommitResult,
  type CreateLimits,
  type CreateResult,
  type EndOptions,
  type EndReason,
  type EndResult,
  type EndUserResult,
  type ImportedSession,
  type ImportStatus,
  type MaybePromise,
  type NewSession,
  SessionError,
  type SessionRecord,
  type SessionStore,
  type StoreCall,
  type StoreCapabilities,
  type StoreEvent,
  type StoreMetrics,
  type StorePage,
  type StoreQuery,
  type StoreSettings,
  type SweepResult,
  type TrackBatch,
} from "@kyb/session-core/store";
import { commit, create, end, endUser } from "./changing.ts";
import { Connection, type Durability } from "./connection.ts";
import { isBusy, storeError } from "./driver-errors.ts";
import { EventFeed } from "./event-feed.ts";
import { importSession } from "./importing.ts";
import { listSessions } from "./listing.ts";
import { readMetrics } from "./metrics.ts";
import { Inbox } from "./outbox.ts";
import { retryBusy } from "./retry.ts";
import { type Row, recordOf } from "./row.ts";
import { findRecordRow, findTimelineRow } from "./sessions.ts";
import { DEFAULTS, type SqliteStoreOptions, sourceOf } from "./settings.ts";
import { type Outcome, type Step, takeStep } from "./step.ts";
import { sweep } from "./sweeping.ts";
import { readTimeline, timelineRule } from "./timeline.ts";
import { track } from "./tracking.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  name: "sqlite",
  durable: true,
  shared: true,
  atomic: true,
  userIndex: true,
  immediate: false,
  sweepInterval: 1000,
});

/**
 * Keeps sessions in a SQLite file: they survive restarts, and several processes of one machine share them. For machines
 * that share nothing there are Redis and Postgres; a file on a network drive is refused or will be damaged.
 *
 * What the application relies on is on the disk when a call is answered. What is observed (times, counts, timelines)
 * survives the end of a process; a loss of power may take the latest of it.
 *
 * A call that meets a lock of another process tries again until its caller stops waiting, and never blocks the event loop
 * for it. Tables are made at the first use. A record that cannot be read is left out of lists and left as it is.
 *
 * Throws `INVALID_CONFIG` naming a wrong option, and `UNSUPPORTED` for a `path` where there is no `node:sqlite`.
 */
export function sqliteStore(options: SqliteStoreOptions): SessionStore {
  return new SqliteStore(options);
}

class SqliteStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #db: Connection;
  readonly #origin: string = crypto.randomUUID();
  readonly #feed: EventFeed;
  #settings: StoreSettings = DEFAULTS;
  #isClosed = false;

  constructor(options: SqliteStoreOptions) {
    const { open, isOwn } = sourceOf(options);
    this.#db = new Connection(open, isOwn);
    this.#feed = new EventFeed(new Inbox(this.#db, this.#origin));
  }

  attach(settings: StoreSettings): void {
    this.#check();
    this.#settings = settings;
  }

  create(session: NewSession, limits: CreateLimits, call: StoreCall): MaybePromise<CreateResult> {
    return this.#write(call, "synced", (step) => create(step, session, limits));
  }

  find(id: string, call: StoreCall): MaybePromise<SessionRecord | undefined> {
    return this.#run(call, () => {
      const row = findRecordRow(this.#db, id);
      return row === undefined || !this.#isKnown(row) ? undefined : recordOf(row);
    });
  }

  commit(id: string, change: Commit, call: StoreCall): MaybePromise<CommitResult> {
    return this.#write(call, "synced", (step) => commit(step, id, change));
  }

  track(batch: TrackBatch, call: StoreCall): MaybePromise<void> {
    return this.#write(call, "relaxed", (step) => track(step, batch));
  }

  end(
    id: string,
    reason: EndReason,
    options: EndOptions,
    call: StoreCall,
  ): MaybePromise<EndResult> {
    return this.#write(call, "synced", (step) => end(step, id, reason, options));
  }

  endIfDue(id: string, call: StoreCall): MaybePromise<SessionRecord | undefined> {
    // Who is over once is over for good, also if a loss of power should take this end of it.
    return this.#write(call, "relaxed", (step) => {
      const row = step.live(step.sessions.findWhole(id));
      return row === undefined ? undefined : recordOf(row);
    });
  }

  endUser(
    userId: string,
    reason: EndReason,
    { except }: { readonly except?: string | undefined },
    call: StoreCall,
  ): MaybePromise<EndUserResult> {
    return this.#write(call, "synced", (step) => ({
      ended: endUser(step, userId, reason, except),
      durable: true,
    }));
  }

  list(query: StoreQuery, call: StoreCall): MaybePromise<StorePage> {
    return this.#read(call, (now) => listSessions(this.#db, query, this.#settings, now));
  }

  activity(
    id: string,
    query: ActivityQuery,
    call: StoreCall,
  ): MaybePromise<ActivityPage | undefined> {
    return this.#read(call, (now) => {
      const row = findTimelineRow(this.#db, id);
      if (row === undefined || !this.#isKnown(row)) return undefined;
      return readTimeline(this.#db, row, query, timelineRule(this.#settings, now));
    });
  }

  metrics(call: StoreCall): MaybePromise<StoreMetrics> {
    return this.#read(call, (now) => readMetrics(this.#db, now));
  }

  import(
    sessions: readonly ImportedSession[],
    call: StoreCall,
  ): MaybePromise<readonly ImportStatus[]> {
    return this.#write(call, "synced", (step) =>
      sessions.map((session) => importSession(step, session)),
    );
  }

  sweep(
    { milliseconds }: { readonly milliseconds: number },
    call: StoreCall,
  ): MaybePromise<SweepResult> {
    const stopAt = performance.now() + milliseconds;
    // What was done before a lock came between counts as well.
    let ended = 0;
    return this.#run(call, () => {
      const isDone = sweep({
        db: this.#db,
        settings: this.#settings,
        now: this.#settings.now(),
        take: (work) => this.#step("relaxed", work),
        isOver: () => performance.now() >= stopAt,
        ended: (count) => {
          ended += count;
        },
      });
      return { ended, more: !isDone };
    });
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#check();
    return this.#feed.subscribe(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#feed.close();
    this.#db.close();
  }

  #check(): void {
    if (!this.#isClosed) return;
    throw new SessionError("STORE_UNAVAILABLE", "The session store has been closed.");
  }

  /** Whether a session may be read: an ended one only for a while. */
  #isKnown({ ended_at: endedAt }: Pick<Row, "ended_at">): boolean {
    // The clock is only needed for those that have ended.
    return endedAt === null || this.#settings.now() - endedAt < this.#settings.endedRetention;
  }

  #write<Result>(
    call: StoreCall,
    durability: Durability,
    work: (step: Step) => Result,
  ): MaybePromise<Result> {
    return this.#run(call, () => this.#step(durability, work));
  }

  #read<Result>(call: StoreCall, work: (now: number) => Result): MaybePromise<Result> {
    return this.#run(call, () => this.#db.read(() => work(this.#settings.now())));
  }

  /** One transaction; when it has happened, the listeners may know. */
  #step<Result>(durability: Durability, work: (step: Step) => Result): Result {
    const facts = { db: this.#db, settings: this.#settings, origin: this.#origin };
    const { result, events }: Outcome<Result> = takeStep(facts, durability, work);
    this.#feed.deliver(events);
    return result;
  }

  /** At once where nobody is in the way, else as soon as that is so. */
  #run<Result>(call: StoreCall, work: () => Result): MaybePromise<Result> {
    const attempt = (): Result => {
      this.#check();
      return work();
    };
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw storeError(error);
      return retryBusy(call, error, attempt).catch((last: unknown) => {
        throw storeError(last);
      });
    }
  }
}
