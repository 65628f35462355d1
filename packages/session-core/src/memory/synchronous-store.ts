import { ActivityLog } from "../activity/log.ts";
import type { Commit, CommitResult } from "../commit.ts";
import { SessionError } from "../errors.ts";
import { lifecycle } from "../lifecycle.ts";
import { ActiveUsers } from "../metrics/active-users.ts";
import { Counters } from "../metrics/counters.ts";
import type { StoreMetrics } from "../metrics/snapshot.ts";
import type { CreateLimits, CreateResult, NewSession } from "../new-session.ts";
import type { EndReason, SessionRecord } from "../record.ts";
import type {
  EndOptions,
  EndResult,
  EndUserResult,
  ImportedSession,
  ImportStatus,
  MaybePromise,
  SessionStore,
  StoreCapabilities,
  StoreEvent,
  StoreSettings,
  SweepResult,
} from "../store.ts";
import type { ActivityPage, ActivityQuery, StorePage, StoreQuery } from "../store-query.ts";
import type { TrackBatch } from "../track-batch.ts";
import { applyCommit, initialState } from "../transition.ts";
import { formatLogCursor, parseLogCursor } from "./cursor.ts";
import { Endings } from "./endings.ts";
import { type Entry, recordOf } from "./entry.ts";
import { EventQueue } from "./event-queue.ts";
import { listEntries } from "./listing.ts";
import { Observations } from "./observations.ts";
import { BatchMemory, rememberCommit, wasCommitted } from "./replays.ts";
import { Sessions } from "./sessions.ts";
import { type MemorySettings, type MemoryStoreOptions, memorySettings } from "./settings.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  name: "memory",
  durable: false,
  shared: false,
  atomic: true,
  userIndex: true,
  immediate: true,
  sweepInterval: 1000,
});

/** Entries that a sweep looks at between two looks at the clock, 10 to 50 µs. */
const SWEEP_STRIDE = 16;

/** The methods of the store in memory. Each is one step: it begins with the time, and ends with the events. */
export class SynchronousStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #options: MemoryStoreOptions;
  readonly #log: ActivityLog = new ActivityLog(() => this.#sessions.reclaimLog());
  readonly #activeUsers = new ActiveUsers();
  readonly #sessions: Sessions = new Sessions(this.#log, this.#activeUsers);
  readonly #counters = new Counters(this.#activeUsers);
  readonly #batches = new BatchMemory();
  readonly #events = new EventQueue();
  readonly #endings: Endings;
  readonly #observations: Observations;
  #isClosed = false;

  constructor(options: MemoryStoreOptions) {
    this.#options = { ...options };
    const settings = memorySettings(this.#options, undefined);
    this.#endings = new Endings(settings, this.#sessions, this.#counters, this.#events);
    this.#observations = new Observations(this.#endings, this.#sessions, this.#counters, this.#log);
  }

  attach(settings: StoreSettings): void {
    this.#begin();
    this.#endings.settings = memorySettings(this.#options, settings);
  }

  create(session: NewSession, limits: CreateLimits): CreateResult {
    const now = this.#begin();
    const existing = this.#endings.find(session.id);
    if (existing !== undefined && isRepeated(existing, session, now)) {
      return { status: "created", record: recordOf(existing) };
    }
    if (existing !== undefined) {
      throw new SessionError(
        "STORE_UNAVAILABLE",
        "A new session's id exists already: the source of randomness is broken.",
      );
    }
    const { userId } = session;
    const victims =
      userId === undefined ? [] : this.#endings.overLimit(userId, limits.user, undefined, now);
    if (victims === undefined) return this.#answer({ status: "refused", limit: "user" });
    const { maxSessions = Number.POSITIVE_INFINITY } = limits;
    if (!this.#endings.makeRoom(maxSessions, victims.length, now)) {
      return this.#answer({ status: "refused", limit: "sessions" });
    }
    for (const victim of victims) this.#endings.end(victim, "limit", now);

    const entry = this.#sessions.add(initialState(session, now));
    if (this.#settings.metrics) this.#counters.created(now, this.#sessions.live);
    this.#events.add("created", entry.state, now);
    return this.#answer({ status: "created", record: recordOf(entry) });
  }

  find(id: string): SessionRecord | undefined {
    this.#check();
    let entry = this.#endings.find(id);
    // The clock is only needed for those that have ended.
    if (entry?.endedAt !== undefined) entry = this.#known(id, this.#settings.now());
    return entry === undefined ? undefined : recordOf(entry);
  }

  commit(id: string, commit: Commit): CommitResult {
    const now = this.#begin();
    const entry = this.#live(id, now);
    if (entry === undefined) return this.#answer({ status: "gone" });
    if (wasCommitted(entry, commit.opId)) return { status: "applied", record: recordOf(entry) };
    const next = applyCommit(entry.state, commit, now);
    if (next.status === "conflict") return { status: "conflict", record: recordOf(entry) };
    if (next.status !== "applied") return next;

    const { change } = commit;
    if (change?.kind === "sign-in") {
      const victims = this.#endings.overLimit(change.userId, change.limit, entry, now);
      if (victims === undefined) return this.#answer({ status: "refused", limit: "user" });
      for (const victim of victims) this.#endings.end(victim, "limit", now);
      // Both timeouts start again, and the idle one runs from here.
      entry.lastActivityTime = Math.max(entry.lastActivityTime, now);
      this.#sessions.accessed(entry, now);
    }
    this.#sessions.replace(entry, next.state);
    rememberCommit(entry, commit.opId);
    if (change?.kind === "sign-in") this.#events.add("signed-in", entry.state, now);
    else if (change !== undefined && change.kind !== "offer")
      this.#events.add("regenerated", entry.state, now);
    return this.#answer({ status: "applied", record: recordOf(entry) });
  }

  track(batch: TrackBatch): void {
    const now = this.#begin();
    if (!this.#batches.accept(batch.instance, batch.sequence)) return;
    for (const item of batch.items) this.#observations.observe(item, now);
    this.#events.deliver();
  }

  end(id: string, reason: EndReason, options: EndOptions): EndResult {
    const now = this.#begin();
    const entry = this.#live(id, now);
    if (entry === undefined) return this.#answer({ status: "gone" });
    const { epoch } = options;
    if (epoch !== undefined && epoch !== entry.state.epoch) return { status: "superseded" };
    this.#endings.end(entry, reason, now);
    return this.#answer({ status: "ended", durable: true });
  }

  endIfDue(id: string): SessionRecord | undefined {
    const now = this.#begin();
    const entry = this.#live(id, now);
    return this.#answer(entry === undefined ? undefined : recordOf(entry));
  }

  endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
  ): MaybePromise<EndUserResult> {
    const now = this.#begin();
    const ended = this.#endings.endAllOf(userId, reason, now, options.except);
    if (ended instanceof Promise) return ended.then((ids) => ({ ended: ids, durable: true }));
    return this.#answer({ ended, durable: true });
  }

  list(query: StoreQuery): StorePage {
    const now = this.#begin();
    if (query.status !== "active") this.#endings.forgetEnded(now, never);
    const { entries, nextCursor, due } = listEntries(this.#sessions, query, now);
    for (const entry of due) this.#endings.endIfDue(entry, now);
    const total = query.search === undefined ? this.#count(query) : undefined;
    return this.#answer({ records: entries.map(recordOf), nextCursor, total });
  }

  activity(id: string, query: ActivityQuery): ActivityPage | undefined {
    const now = this.#begin();
    const entry = this.#known(id, now);
    if (entry === undefined) return undefined;
    const before = query.cursor === undefined ? undefined : parseLogCursor(id, query.cursor);
    const { limit, offset } = query;
    const page = this.#log.read(entry, {
      limit,
      offset,
      before,
      after: this.#observations.begin(now),
    });
    const nextCursor = page.next === undefined ? undefined : formatLogCursor(id, page.next);
    return { entries: page.entries, nextCursor, total: page.total };
  }

  metrics(): StoreMetrics {
    const now = this.#begin();
    const sessions = this.#sessions;
    const gauges = {
      activeSessions: sessions.live,
      signedInSessions: sessions.liveSignedIn,
      anonymousSessions: sessions.anonymous.size,
      provisionalSessions: sessions.provisional.size,
      totalLength: sessions.totalLength,
      activityDropped: this.#log.dropped,
      lostSessions: 0,
    };
    return this.#counters.snapshot(gauges, now);
  }

  import(sessions: readonly ImportedSession[]): readonly ImportStatus[] {
    const now = this.#begin();
    return sessions.map((session) => this.#observations.import(session, now));
  }

  sweep(budget: { readonly milliseconds: number }): SweepResult {
    const now = this.#begin();
    const { monotonic } = this.#settings;
    const stopAt = monotonic() + budget.milliseconds;
    const before = this.#sessions.live;
    let steps = 0;
    const stop = (): boolean => ++steps % SWEEP_STRIDE === 0 && monotonic() >= stopAt;
    const isDone =
      this.#endings.endAllDue(now, stop) &&
      this.#endings.forgetEnded(now, stop) &&
      this.#log.clean(stop);
    return this.#answer({ ended: before - this.#sessions.live, more: !isDone });
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#check();
    return this.#events.subscribe(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#events.clear();
  }

  get #settings(): MemorySettings {
    return this.#endings.settings;
  }

  #check(): void {
    if (!this.#isClosed) return;
    throw new SessionError("STORE_UNAVAILABLE", "The session store has been closed.");
  }

  /** Begins a call: the store is open, and this is the time. */
  #begin(): number {
    this.#check();
    return this.#settings.now();
  }

  /** Ends a call: everything is in order again, and the listeners may know. */
  #answer<Result>(result: Result): Result {
    this.#events.deliver();
    return result;
  }

  /** A session that may be read: also one that is due, also an ended one as long as it is kept. */
  #known(id: string, now: number): Entry | undefined {
    const entry = this.#endings.find(id);
    return entry === undefined || this.#endings.isForgotten(entry, now) ? undefined : entry;
  }

  /** A session that may be changed. One that is met due is ended. */
  #live(id: string, now: number): Entry | undefined {
    const entry = this.#endings.find(id);
    if (entry === undefined || entry.endedAt !== undefined) return undefined;
    return this.#endings.endIfDue(entry, now) ? undefined : entry;
  }

  #count({ status, userId }: StoreQuery): number {
    const sessions = this.#sessions;
    const live = userId === undefined ? sessions.live : sessions.users.count(userId);
    const ended = userId === undefined ? sessions.ended : sessions.endedUsers.count(userId);
    return (status === "ended" ? 0 : live) + (status === "active" ? 0 : ended);
  }
}

/** Whether a session is what the same `create` made a moment ago. */
function isRepeated(entry: Entry, session: NewSession, now: number): boolean {
  const { secretHash, version } = entry.state;
  return secretHash === session.secretHash && version === 0 && lifecycle(entry, now) === "live";
}

function never(): boolean {
  return false;
}
