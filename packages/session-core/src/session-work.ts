import { ownValue, PendingChanges } from "./changes.ts";
import type { ClientFacts } from "./client.ts";
import type { MetadataOp } from "./commit.ts";
import type { Engine } from "./engine.ts";
import { SessionError } from "./errors.ts";
import { isPromise } from "./gateway.ts";
import type { IssuedCookies } from "./issued-cookies.ts";
import { checkKey, EMPTY_METADATA, type JsonValue, type Metadata } from "./metadata.ts";
import type { Absence, Presence } from "./presence.ts";
import type { EndReason, SessionRecord, SessionState } from "./record.ts";
import { headersSent, sessionEnded, storeFull, superseded } from "./refusals.ts";
import type { MaybePromise } from "./store.ts";

/** Who sends the request. */
export interface Client {
  readonly facts: ClientFacts;
  userAgent(): string;
}

const NONE: Absence = { kind: "none" };
const NO_KEYS: readonly string[] = [];

/**
 * One request's work on its session: what it knows of it, the data as it sees it, and what it changed and has not stored.
 *
 * It holds a snapshot of the state that it found, so a request that was under way during a sign-in never sees the
 * user who signed in. The writes themselves are in session-writes.ts.
 */
export class SessionWork {
  readonly engine: Engine;
  readonly client: Client;
  readonly cookies: IssuedCookies;
  #presence: Presence | undefined;
  #state: SessionState | undefined;
  #absence: Absence = NONE;
  #changes: PendingChanges | undefined;
  #turn: Promise<void> | undefined;
  #isFinished = false;
  /** The id of the session that this request has or had. */
  #id = "";
  #end: { readonly at: number; readonly reason: EndReason } | undefined;
  isNew = false;
  /** Whether the handler looked at the session, so that its answer depends on the cookie. */
  wasRead = false;

  constructor(engine: Engine, client: Client, cookies: IssuedCookies) {
    this.engine = engine;
    this.client = client;
    this.cookies = cookies;
  }

  // What it knows.

  /** `""` as long as there is no session. */
  get id(): string {
    this.wasRead = true;
    return this.#id;
  }

  /** The snapshot; looking at it is not the handler's reading. */
  get snapshot(): SessionState | undefined {
    return this.#state;
  }

  get presence(): Presence | undefined {
    return this.#presence;
  }

  /** Undefined while there is a session. */
  get absence(): Absence | undefined {
    return this.#presence === undefined ? this.#absence : undefined;
  }

  /** The state as this request found or left it. */
  get state(): SessionState | undefined {
    this.wasRead = true;
    return this.#state;
  }

  /** When and why this request itself ended the session. */
  get end(): { readonly at: number; readonly reason: EndReason } | undefined {
    return this.#end;
  }

  /** The session that this request is counted for, also if it ended meanwhile. */
  get trackedId(): string | undefined {
    return this.#id === "" ? undefined : this.#id;
  }

  /** Whether the client can be told of a new secret no more. */
  get isAnswered(): boolean {
    return this.#isFinished || this.cookies.isSealed;
  }

  get isDirty(): boolean {
    return this.#turn !== undefined || this.#changes?.isEmpty === false;
  }

  /** What it changed and the store has not acknowledged; undefined before the first change. */
  get changes(): PendingChanges | undefined {
    return this.#changes;
  }

  get changedKeys(): string[] {
    return this.#changes?.keys() ?? [];
  }

  get metadata(): Metadata {
    this.wasRead = true;
    return this.view;
  }

  /** The data as this request sees it; looking at it here is not the handler's reading. */
  get view(): Metadata {
    return this.#changes?.metadata ?? this.#state?.metadata ?? EMPTY_METADATA;
  }

  // What becomes of it.

  adopt(presence: Presence): void {
    this.#presence = presence;
    this.#state = presence.record.state;
    this.#id = presence.record.state.id;
    this.#end = undefined;
  }

  lack(absence: Absence): void {
    this.#presence = undefined;
    this.#absence = absence;
    if (absence.kind !== "unavailable") return;
    // What was found before the store failed is not shown: it would look like a session that can be used.
    this.#state = undefined;
    this.#id = "";
  }

  /** The session is over, and it was this request that ended it. */
  endedBy(reason: EndReason): void {
    this.#end = { at: this.engine.now(), reason };
    this.#changes?.discard();
    this.lack({ kind: "ended" });
  }

  /** Another request took the session on; this one has no more part in it, and no cookie. */
  supersede(): SessionError {
    this.engine.counters.superseded += 1;
    this.engine.events.emit("superseded", { sessionId: this.#id });
    this.leave({ kind: "superseded" });
    return superseded();
  }

  leave(absence: Absence): void {
    this.#changes?.discard();
    this.cookies.drop();
    this.lack(absence);
  }

  /**
   * Moves the snapshot forward, but not over a sign-in: a record of a store in this process may have moved on since
   * the store answered, and what came after is not this request's to see. Its next write is superseded.
   */
  take(record: SessionRecord): void {
    if (this.#presence === undefined || record.state.epoch !== this.#state?.epoch) return;
    this.#presence = { ...this.#presence, record };
    this.#state = record.state;
    this.#changes?.rebase(record.state.metadata, record.state.metadataBytes);
  }

  // Data.

  get(key: string): JsonValue | undefined {
    return ownValue(this.metadata, key);
  }

  set(key: string, value: unknown): void {
    checkKey(key);
    this.change(this.engine.checked(key, value, this.view));
  }

  delete(key: string): void {
    checkKey(key);
    this.change({ kind: "delete", key });
  }

  increment(key: string, by: number): void {
    checkKey(key);
    if (typeof by !== "number" || !Number.isFinite(by)) {
      throw new SessionError(
        "INVALID_VALUE",
        `increment("${key}") needs a finite number, got ${String(by)}.`,
      );
    }
    this.change({ kind: "increment", key, by });
  }

  change(op: MetadataOp): void {
    this.refuseIfFinished();
    this.refuseIfOver();
    const absence = this.absence;
    switch (absence?.kind) {
      case "full":
        throw storeFull();
      case "unavailable":
        throw absence.error;
      case "none":
        // The write makes a session, whose cookie could not be set any more.
        this.refuseIfSealed();
        break;
      case "withheld":
        this.engine.events.emit("withheld", { reason: absence.reason, key: op.key });
    }
    this.#changes ??= new PendingChanges(
      this.#state?.metadata ?? EMPTY_METADATA,
      this.#state?.metadataBytes ?? 0,
      this.engine.config.maxMetadataBytes,
    );
    try {
      this.#changes.add(op);
    } catch (error) {
      if (error instanceof SessionError && error.code === "METADATA_TOO_LARGE") {
        this.engine.limitHit("metadata", this.#state?.userId);
      }
      throw error;
    }
  }

  /** Forgets what could not be stored. */
  discard(): void {
    this.#changes?.discard();
  }

  /** The first `count` changes are in the store by another way than a commit of their own. */
  forget(count: number): void {
    this.#changes?.forget(count);
    this.#changes?.rebase(this.#state?.metadata ?? EMPTY_METADATA, this.#state?.metadataBytes ?? 0);
  }

  // Writing.

  /** Runs one write after the other; a store that answers at once costs no promise. */
  inTurn<Result>(run: () => Promise<Result>): Promise<Result>;
  inTurn<Result>(run: () => MaybePromise<Result>): MaybePromise<Result>;
  inTurn<Result>(run: () => MaybePromise<Result>): MaybePromise<Result> {
    const result = this.#turn === undefined ? run() : this.#turn.then(run);
    if (!isPromise(result)) return result;
    const done = (): void => {
      if (this.#turn === turn) this.#turn = undefined;
    };
    // Whoever asked for this write hears how it ended; the next in turn only waits for it.
    const turn: Promise<void> = result.then(done, done);
    this.#turn = turn;
    return result;
  }

  /**
   * No more changes: the response is complete. Answers the keys that were never stored; that is known once the writes
   * that are under way are through, because a client may leave in the middle of one.
   */
  finish(): MaybePromise<readonly string[]> {
    this.#isFinished = true;
    if (this.#turn !== undefined) return this.#turn.then(() => this.finish());
    return this.#changes?.discard() ?? NO_KEYS;
  }

  // What it refuses.

  refuseIfFinished(): void {
    if (!this.#isFinished) return;
    throw new SessionError(
      "VISIT_FINISHED",
      "The response is complete; change the session with manager.patch(id, …) from here on.",
    );
  }

  refuseIfSealed(): void {
    if (this.cookies.isSealed) throw headersSent();
  }

  /** Refuses what would write to a session that is over, or is another's by now. */
  refuseIfOver(): void {
    if (this.absence?.kind === "ended") throw sessionEnded();
    if (this.absence?.kind === "superseded") throw superseded();
  }

  refuseIfUnavailable(): void {
    if (this.absence?.kind === "unavailable") throw this.absence.error;
  }
}
