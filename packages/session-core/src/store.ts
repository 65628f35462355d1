import type { ActivityEntry } from "./activity/entry.ts";
import type { Commit, CommitResult } from "./commit.ts";
import type { StoreMetrics } from "./metrics/snapshot.ts";
import type { CreateLimits, CreateResult, NewSession } from "./new-session.ts";
import type { EndReason, SessionRecord } from "./record.ts";
import type { ActivityPage, ActivityQuery, StorePage, StoreQuery } from "./store-query.ts";
import type { TrackBatch } from "./track-batch.ts";

/** A store that need not wait may answer at once. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * The store contract. A store keeps records; it knows no cookie, no request and no policy.
 *
 * Three rules hold for every method. "Not there" is a value; "could not look" is an error, a `SessionError` with
 * the driver's error as `cause`: `STORE_UNAVAILABLE` for what passes, `STORE_MISCONFIGURED` for what an operator must
 * mend, `STORE_FULL` where there is no room, `RECORD_UNREADABLE` for a record that is corrupt or of another version
 * (it is refused and never destroyed; `end` works on it all the same). Every method is atomic: for all callers, in this
 * process or another, it happened wholly or not at all. And whatever a store answers is a snapshot: what happens later
 * does not show in it.
 *
 * The store's clock rules. Writes stamp times and check deadlines inside the store; no caller's clock is believed
 * but for `seenAt`, which can only move a session forward.
 *
 * Nothing but `create` makes a session exist, and `import`, which brings one from elsewhere. Whatever else is done to a
 * session that is not there, has ended or is due answers `gone` and writes nothing: this is what keeps an ended session
 * from coming back.
 */
export interface SessionStore {
  readonly capabilities: StoreCapabilities;
  /**
   * Milliseconds by which the store's clock is ahead of this process's, as learnt from its answers; the core judges
   * records by it. Undefined: they are the same clock.
   */
  readonly clockOffset?: number | undefined;

  /**
   * Called once by each manager before anything else. A store that several managers share keeps the latest.
   */
  attach(settings: StoreSettings): void;

  /**
   * Makes a session.
   * - The id exists already (also as an ended one): rejects with `STORE_UNAVAILABLE`; with 192 random bits this
   *   is a broken source of randomness, not bad luck. Unless it is the same call again, as a driver repeats one after
   *   a reconnect: a live session with this secret hash and version 0 is answered as `created`, and nothing is done.
   * - `maxSessions` live sessions: ends one to make room, provisional ones first (the oldest), then the anonymous
   *   one with the oldest last access; never a signed-in one. None to end: `refused`, `limit: "sessions"`.
   * - `user.max` live sessions of this user: as `user.policy` says; the new one is never the one to go.
   */
  create(session: NewSession, limits: CreateLimits, call: StoreCall): MaybePromise<CreateResult>;

  /**
   * One session, also an ended one as long as it is retained, and a due one that nobody has ended yet (the core's
   * `lifecycle` tells). Unknown: undefined. Reads what the latest acknowledged write left: no cache, no replica.
   */
  find(id: string, call: StoreCall): MaybePromise<SessionRecord | undefined>;

  /**
   * Applies a change to the live record; see `applyCommit`, the pure rule that all stores share.
   * The same `opId` again (the caller did not hear the first answer): `applied` with the record as it now is,
   * and nothing is applied twice; a store remembers at least the latest 4 of a session.
   */
  commit(id: string, commit: Commit, call: StoreCall): MaybePromise<CommitResult>;

  /**
   * Records what was observed. Sessions that are gone are skipped; their requests still count in the metrics.
   * `seenAt` only moves a time forward and revives nothing. The same `instance` and `sequence` again is
   * answered and not applied (but for sequence 0, which says that repeating does no harm).
   */
  track(batch: TrackBatch, call: StoreCall): MaybePromise<void>;

  /** Ends a session. Idempotent: the second caller hears `gone`, and there is one `ended` event. */
  end(id: string, reason: EndReason, options: EndOptions, call: StoreCall): MaybePromise<EndResult>;

  /**
   * Ends a session if it is due by the store's clock, with the reason that the lifecycle gives.
   * Answers the record if it is live after all (it was touched meanwhile), else undefined.
   */
  endIfDue(id: string, call: StoreCall): MaybePromise<SessionRecord | undefined>;

  /**
   * Ends every session that this user has when it is called, but `except`, at one instant for readers.
   * A user without sessions: an empty list.
   */
  endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
    call: StoreCall,
  ): MaybePromise<EndUserResult>;

  /**
   * One page. The cost grows with the page, not with the total. A cursor that this store did not give
   * rejects with `INVALID_ARGUMENT`.
   */
  list(query: StoreQuery, call: StoreCall): MaybePromise<StorePage>;

  /** A session's timeline, newest first; also of an ended session while it is retained. Unknown: undefined. */
  activity(
    id: string,
    query: ActivityQuery,
    call: StoreCall,
  ): MaybePromise<ActivityPage | undefined>;

  /** What was counted; O(1), whatever the number of sessions. */
  metrics(call: StoreCall): MaybePromise<StoreMetrics>;

  /**
   * Makes sessions exist here as they are elsewhere: how they move in. Each by itself, wholly or not at all; the
   * answers stand in the order of the sessions, of which there are at most 100. Nothing is stamped anew, no limit is
   * looked at, no event is raised, and no request is counted.
   * - The session has ended, or is due by this store's clock: `gone`, and nothing is written.
   * - The id exists here, live, due, ended or unreadable: `exists`, and nothing is changed. So the same call again does
   *   no harm, and an ended session never comes back.
   * - Unless the session here is live, has the version `over` and no higher epoch than the one that comes: then that one
   *   takes its place, with its user, secrets, data, times and timeline.
   * - Else `imported`, with the newest `activityLimit` entries of its timeline.
   */
  import(
    sessions: readonly ImportedSession[],
    call: StoreCall,
  ): MaybePromise<readonly ImportStatus[]>;

  /** Ends what is due, until nothing is left or `milliseconds` are used up. */
  sweep(budget: { readonly milliseconds: number }, call: StoreCall): MaybePromise<SweepResult>;

  /** Hears the events of all instances. The listener does not throw. Returns the way to stop. */
  subscribe(listener: (event: StoreEvent) => void): () => void;

  /** Lets go of what the store itself opened. Idempotent. */
  close(): MaybePromise<void>;
}

/** What a store can and cannot do. The management API says so instead of pretending. */
export interface StoreCapabilities {
  /** Short name, shown by the status route: `memory`, `redis`. */
  readonly name: string;
  /** Survives a restart of this process. */
  readonly durable: boolean;
  /** Seen by several processes. */
  readonly shared: boolean;
  /** `commit` is atomic. Without it the race contract does not hold. */
  readonly atomic: boolean;
  /** `endUser`, per-user limits and `list` by user work. */
  readonly userIndex: boolean;
  /** `track` costs no wait: the core does not batch. */
  readonly immediate: boolean;
  /** Milliseconds between sweeps that this store wants; undefined: the manager's `cleanupInterval`. */
  readonly sweepInterval: number | undefined;
}

/** What a store needs to know of the configuration. */
export interface StoreSettings {
  /** Epoch milliseconds. For stores inside this process; others have a clock of their own. */
  readonly now: () => number;
  /** Most entries kept of one session; older ones give way. */
  readonly activityLimit: number;
  /** Bytes that all timelines together may use, for stores inside this process. */
  readonly activityBytes: number;
  /** Milliseconds after which an entry is no longer shown; undefined: never. */
  readonly activityRetention: number | undefined;
  /** Milliseconds that an ended session stays readable. */
  readonly endedRetention: number;
  /** Most ended sessions kept, the oldest go first. Undefined: 1000 for stores inside this process, no limit elsewhere. */
  readonly maxEnded: number | undefined;
  /** Whether to count. */
  readonly metrics: boolean;
}

/** Goes with every call. */
export interface StoreCall {
  /** Aborted when the caller stops waiting. Made when first read, because most stores never do. */
  readonly signal: AbortSignal;
}

export interface EndOptions {
  /** Only if the session still has this epoch; else `superseded`. */
  readonly epoch?: number | undefined;
}

/** `durable`: confirmed by everything that could take over. False: accepted by the primary alone. */
export type EndResult =
  | { readonly status: "ended"; readonly durable: boolean }
  | { readonly status: "gone" }
  | { readonly status: "superseded" };

export interface EndUserResult {
  readonly ended: readonly string[];
  readonly durable: boolean;
}

/** A session as another store has it. */
export interface ImportedSession {
  readonly record: SessionRecord;
  /** Its timeline, newest first. */
  readonly entries: readonly ActivityEntry[];
  /**
   * Version of the live session here that this one takes the place of: what an earlier import left, and what has changed
   * elsewhere since.
   */
  readonly over?: number | undefined;
}

export type ImportStatus = "imported" | "exists" | "gone";

export interface SweepResult {
  readonly ended: number;
  /** Whether the budget ended before the work did. */
  readonly more: boolean;
}

/** Something that happened to a session, on any instance. */
export interface StoreEvent {
  readonly type: "created" | "signed-in" | "regenerated" | "ended";
  readonly sessionId: string;
  readonly userId: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Of an end. */
  readonly reason: EndReason | undefined;
}
