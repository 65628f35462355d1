import type { ActivityEntry, RequestSample } from "./activity/entry.ts";
import type { JsonValue, Metadata } from "./metadata.ts";
import type { StoreMetrics } from "./metrics/snapshot.ts";
import type { EndReason, SessionRecord, Transport } from "./record.ts";

/** A store that need not wait may answer at once. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * The store contract. A store keeps records; it knows no cookie, no request and no policy.
 *
 * Two rules hold for every method. "Not there" is a value; "could not look" is an error, a `SessionError` with
 * the code `STORE_UNAVAILABLE` and the driver's error as `cause`. And every method is atomic: for all callers,
 * in this process or another, it happened wholly or not at all.
 *
 * The store's clock rules. Writes stamp times and check deadlines inside the store; no caller's clock is believed
 * but for `seenAt`, which can only move a session forward.
 *
 * Nothing but `create` makes a session exist. Whatever is done to a session that is not there, has ended or is due
 * answers `gone` and writes nothing: this is what keeps an ended session from coming back.
 */
export interface SessionStore {
  readonly capabilities: StoreCapabilities;

  /**
   * Called once by each manager before anything else. A store that several managers share keeps the latest.
   */
  attach(settings: StoreSettings): void;

  /**
   * Makes a session.
   * - The id exists already (also as an ended one): rejects with `STORE_UNAVAILABLE`; with 192 random bits this
   *   is a broken source of randomness, not bad luck.
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
  /** Most ended sessions kept, the oldest go first. */
  readonly maxEnded: number;
  /** Whether to count. */
  readonly metrics: boolean;
}

/** Goes with every call. */
export interface StoreCall {
  /** Aborted when the caller stops waiting. Made when first read, because most stores never do. */
  readonly signal: AbortSignal;
}

/** What the caller decides of a new session; the store stamps the times. Durations in milliseconds. */
export interface NewSession {
  readonly id: string;
  readonly secretHash: string;
  readonly transport: Transport;
  readonly userId: string | undefined;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  /** Undefined: the session is not provisional. */
  readonly provisionalTimeout: number | undefined;
  readonly metadata: Metadata;
  readonly metadataBytes: number;
}

/** How many sessions one user may have. */
export interface UserLimit {
  readonly max: number;
  readonly policy: "evict-oldest" | "evict-least-recent" | "reject";
}

export interface CreateLimits {
  readonly maxSessions: number | undefined;
  /** Looked at when the session has a user. */
  readonly user: UserLimit | undefined;
}

export type CreateResult =
  | { readonly status: "created"; readonly record: SessionRecord }
  | { readonly status: "refused"; readonly limit: "sessions" | "user" };

/** One change of the data. `bytes` is the size of the value as JSON. */
export type MetadataOp =
  | {
      readonly kind: "set";
      readonly key: string;
      readonly value: JsonValue;
      readonly bytes: number;
    }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "increment"; readonly key: string; readonly by: number };

/** A change of the secret, and of what goes with it. Durations in milliseconds. */
export type SecretChange =
  | {
      /** A new secret and a user; both timeouts start again. */
      readonly kind: "sign-in";
      readonly secretHash: string;
      readonly userId: string;
      /** Keys of the data so far that stay; `true`: all. Applied before `ops`. */
      readonly keep: true | readonly string[];
      readonly idleTimeout: number;
      readonly absoluteTimeout: number;
      readonly limit: UserLimit | undefined;
    }
  /** A new secret at once. */
  | { readonly kind: "regenerate"; readonly secretHash: string }
  /** A successor that becomes the secret when it is presented. Nothing changes if one is pending already. */
  | { readonly kind: "offer"; readonly secretHash: string; readonly nonce: string }
  /** The pending successor was presented. `secretHash` in the commit is the successor's. */
  | { readonly kind: "promote" };

/** One atomic change of a session. */
export interface Commit {
  /** Unique to this change; the same again when it is repeated. */
  readonly opId: string;
  /** The epoch that the caller saw. Another one now: `superseded`. */
  readonly epoch: number;
  /** Needed where the secret changes: the hash that the caller presented. Another one now: `superseded`. */
  readonly secretHash: string | undefined;
  /** For compare-and-set: the version that the caller saw. Another one now: `conflict`. */
  readonly version: number | undefined;
  readonly ops: readonly MetadataOp[];
  readonly maxMetadataBytes: number;
  readonly change: SecretChange | undefined;
}

export type CommitResult =
  | { readonly status: "applied"; readonly record: SessionRecord }
  | { readonly status: "conflict"; readonly record: SessionRecord }
  | { readonly status: "superseded" }
  | { readonly status: "gone" }
  | { readonly status: "refused"; readonly limit: "user" }
  | { readonly status: "refused"; readonly limit: "metadata"; readonly bytes: number }
  | { readonly status: "refused"; readonly limit: "number"; readonly key: string };

/** What was observed of one session. */
export interface TrackItem {
  readonly id: string;
  readonly seenAt: number;
  /** Moves the last access; false for an action that is recorded from outside a request. */
  readonly access: boolean;
  /** Moves the last activity, and with it the idle deadline. */
  readonly active: boolean;
  /** The client sent its token back: no longer provisional. */
  readonly confirm: boolean;
  /** A request to count. */
  readonly request: RequestSample | undefined;
  /** An entry to keep. */
  readonly entry: ActivityEntry | undefined;
}

export interface TrackBatch {
  /** Unique to the sending manager. */
  readonly instance: string;
  /** Grows by one with each batch of that manager. 0: harmless to repeat, so neither remembered nor compared. */
  readonly sequence: number;
  readonly items: readonly TrackItem[];
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

export interface StoreQuery {
  readonly userId: string | undefined;
  readonly status: "active" | "ended" | "all";
  /** An exact id, an exact address, or the beginning of a user id. */
  readonly search: string | undefined;
  readonly sort: "createdAt" | "lastAccessTime";
  readonly direction: "ascending" | "descending";
  /** 1 to 1000. */
  readonly limit: number;
  /** 0 to 10,000; with a cursor: 0. */
  readonly offset: number;
  readonly cursor: string | undefined;
}

export interface StorePage {
  readonly records: readonly SessionRecord[];
  /** Where the next page begins; undefined on the last page. */
  readonly nextCursor: string | undefined;
  /** Exact for status and user; undefined with `search`. */
  readonly total: number | undefined;
}

export interface ActivityQuery {
  readonly limit: number;
  readonly offset: number;
  readonly cursor: string | undefined;
}

export interface ActivityPage {
  readonly entries: readonly ActivityEntry[];
  readonly nextCursor: string | undefined;
  readonly total: number;
}

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
