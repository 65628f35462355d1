import { type ChangeBatch, ownValue, PendingChanges } from "./changes.ts";
import type { ClientFacts } from "./client.ts";
import type { Engine } from "./engine.ts";
import { SessionError } from "./errors.ts";
import type { WithheldReason } from "./events.ts";
import { isPromise } from "./gateway.ts";
import { create } from "./identity.ts";
import type { IssuedCookies } from "./issued-cookies.ts";
import { checkKey, EMPTY_METADATA, type JsonValue, type Metadata } from "./metadata.ts";
import type { EndReason, SessionRecord, SessionState } from "./record.ts";
import {
  headersSent,
  notANumber,
  sessionEnded,
  storeFull,
  superseded,
  tooLarge,
  userLimitHit,
} from "./refusals.ts";
import type { CommitResult, MaybePromise, MetadataOp, SecretChange } from "./store.ts";

/** Attempts of one `update` before it gives up; each failure means that another writer succeeded. */
const MAX_UPDATE_ATTEMPTS = 1000;

/** Why there is no session to work with. */
export type Absence =
  /** None yet: the first write makes one. */
  | { readonly kind: "none" }
  | { readonly kind: "full" }
  | { readonly kind: "withheld"; readonly reason: WithheldReason }
  | { readonly kind: "unavailable"; readonly error: SessionError }
  /** Ended, by this request or while it ran. */
  | { readonly kind: "ended" }
  | { readonly kind: "superseded" };

/** A session as it was found. */
export interface Presence {
  readonly record: SessionRecord;
  /** Hash of the secret that the client holds. */
  readonly secretHash: string;
  /** The client holds the predecessor of a secret that is in use already: it may not change the secret. */
  readonly grace: boolean;
}

/** Who sends the request. */
export interface Client {
  readonly facts: ClientFacts;
  userAgent(): string;
}

/**
 * One request's work on its session: the data as it sees it, what it changed, and the writes.
 *
 * It holds a snapshot of the state that it found, so a request that was under way during a sign-in never sees the
 * user who signed in. Writes go out one after another, each with the epoch of the snapshot; what the store
 * answers decides what this request may still do.
 */
export class SessionWork {
  readonly engine: Engine;
  readonly client: Client;
  readonly cookies: IssuedCookies;
  #presence: Presence | undefined;
  #state: SessionState | undefined;
  #absence: Absence = { kind: "none" };
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

  get isDirty(): boolean {
    return this.#turn !== undefined || this.#changes?.isEmpty === false;
  }

  get changedKeys(): string[] {
    return this.#changes?.keys() ?? [];
  }

  get metadata(): Metadata {
    this.wasRead = true;
    return this.view;
  }

  // What opening decides.

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

  /** The session that this request is counted for, also if it ended meanwhile. */
  get trackedId(): string | undefined {
    return this.#id === "" ? undefined : this.#id;
  }

  /** The changes that the store has not acknowledged. */
  get pendingOps(): readonly MetadataOp[] {
    return this.#changes?.ops ?? [];
  }

  /** Whether the store was sent changes that it has not answered, so that nobody knows whether it has them. */
  get isInDoubt(): boolean {
    return this.#changes?.isInDoubt === true;
  }

  /** The session is over, and it was this request that ended it. */
  endedBy(reason: EndReason): void {
    this.#end = { at: this.engine.now(), reason };
    this.#changes?.discard();
    this.lack({ kind: "ended" });
  }

  /** Forgets what could not be stored. */
  discard(): void {
    this.#changes?.discard();
  }

  /** Whether the client can be told of a new secret no more. */
  get isAnswered(): boolean {
    return this.#isFinished || this.cookies.isSealed;
  }

  /**
   * No more changes: the response is complete. Tells `report` the keys that were never stored; that is known once the
   * writes that are under way are through, because a client may leave in the middle of one.
   */
  finish(report: (keys: readonly string[]) => void): void {
    this.#isFinished = true;
    if (this.#turn === undefined) report(this.#changes?.discard() ?? []);
    else void this.#turn.then(() => this.finish(report));
  }

  // Data.

  get(key: string): JsonValue | undefined {
    return ownValue(this.metadata, key);
  }

  set(key: string, value: unknown): void {
    checkKey(key);
    this.#change(this.engine.checked(key, value, this.view));
  }

  delete(key: string): void {
    checkKey(key);
    this.#change({ kind: "delete", key });
  }

  increment(key: string, by: number): void {
    checkKey(key);
    if (typeof by !== "number" || !Number.isFinite(by)) {
      throw new SessionError(
        "INVALID_VALUE",
        `increment("${key}") needs a finite number, got ${String(by)}.`,
      );
    }
    this.#change({ kind: "increment", key, by });
  }

  /** Compare and set, again and again until nobody came between. */
  update(
    key: string,
    fn: (current: JsonValue | undefined) => unknown,
  ): Promise<JsonValue | undefined> {
    return this.inTurn(async () => {
      checkKey(key);
      this.refuseIfFinished();
      // The store may have moved on since the snapshot; what it answers is what the next attempt starts from.
      for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt++) {
        await this.storeChanges();
        const op = this.engine.checked(key, fn(this.get(key)), this.view);
        const value = op.kind === "set" ? op.value : undefined;
        const [presence, state] = [this.#presence, this.#state];
        if (presence === undefined || state === undefined) {
          this.#change(op);
          await this.storeChanges();
          return value;
        }
        const batch = { opId: this.engine.opId(), ops: [op] };
        const result = this.settle(await this.send(batch, { compare: true }, presence, state));
        if (result.status === "applied") return value;
        this.#take(result.record);
      }
      throw new SessionError(
        "UPDATE_CONFLICT",
        `Others kept changing the session; update("${key}") gave up.`,
      );
    });
  }

  /** Stores what is waiting. A session that has ended throws `SESSION_ENDED`. */
  store(): MaybePromise<void> {
    return this.isDirty ? this.inTurn(() => this.storeChanges()) : undefined;
  }

  /** As {@link SessionWork.store}, for a handler that wants to know: it throws also where nothing can be stored. */
  async save(): Promise<void> {
    this.refuseIfFinished();
    await this.store();
    this.refuseIfUnavailable();
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

  #change(op: MetadataOp): void {
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

  storeChanges(): MaybePromise<void> {
    const changes = this.#changes;
    if (changes === undefined || changes.isEmpty || this.absence?.kind === "withheld") return;
    if (this.#presence === undefined) {
      if (this.#absence.kind === "none") return this.#createWithChanges(changes);
      return;
    }
    const batch = changes.batch(() => this.engine.opId());
    if (batch === undefined || this.#state === undefined) return;
    const result = this.send(batch, {}, this.#presence, this.#state);
    // What was changed while the store was busy, or out of order, goes next.
    const goOn = (answer: CommitResult): MaybePromise<void> => {
      this.#acknowledge(changes, answer);
      return this.storeChanges();
    };
    return isPromise(result) ? result.then(goOn) : goOn(result);
  }

  async #createWithChanges(changes: PendingChanges): Promise<void> {
    const count = changes.ops.length;
    await create(this, undefined, changes.metadata, changes.bytes);
    this.forget(count);
  }

  send(
    batch: ChangeBatch,
    how: { readonly change?: SecretChange; readonly compare?: true },
    presence: Presence,
    state: SessionState,
  ): MaybePromise<CommitResult> {
    const commit = {
      opId: batch.opId,
      epoch: state.epoch,
      secretHash: how.change === undefined ? undefined : presence.secretHash,
      version: how.compare === undefined ? undefined : state.version,
      ops: batch.ops,
      maxMetadataBytes: this.engine.config.maxMetadataBytes,
      change: how.change,
    };
    return this.engine.gateway.call("commit", (store, call) =>
      store.commit(state.id, commit, call),
    );
  }

  /** Takes over what the store answered, or throws what it means. `userId`: whose session it was to be. */
  settle(
    result: CommitResult,
    userId: string | undefined = this.#state?.userId,
  ): Exclude<CommitResult, { status: "gone" | "superseded" | "refused" }> {
    switch (result.status) {
      case "applied":
        this.#take(result.record);
        return result;
      case "conflict":
        return result;
      case "gone":
        this.engine.counters.gone += 1;
        this.leave({ kind: "ended" });
        throw sessionEnded();
      case "superseded":
        throw this.supersede();
      case "refused":
        throw this.#refused(result, userId);
    }
  }

  #acknowledge(changes: PendingChanges, result: CommitResult): void {
    const { record } = this.settle(result);
    const { metadata, bytes } = changes;
    if (this.#state !== record.state) changes.acknowledge(metadata, bytes);
    else changes.acknowledge(record.state.metadata, record.state.metadataBytes);
  }

  #refused(
    result: Extract<CommitResult, { status: "refused" }>,
    userId: string | undefined,
  ): SessionError {
    if (result.limit === "user") {
      this.engine.limitHit("user", userId);
      return userLimitHit();
    }
    // What the store refuses once it refuses again: the changes would fail the rest of the request as well.
    this.#changes?.discard();
    if (result.limit === "number") return notANumber(result.key);
    this.engine.limitHit("metadata", userId);
    return tooLarge(result.bytes, this.engine.config.maxMetadataBytes);
  }

  /**
   * Moves the snapshot forward, but not over a sign-in: a record of a store in this process may have moved on since
   * the store answered, and what came after is not this request's to see. Its next write is superseded.
   */
  #take(record: SessionRecord): void {
    if (this.#presence === undefined || record.state.epoch !== this.#state?.epoch) return;
    this.#presence = { ...this.#presence, record };
    this.#state = record.state;
    this.#changes?.rebase(record.state.metadata, record.state.metadataBytes);
  }

  /** The first `count` changes are in the store by another way than a commit of their own. */
  forget(count: number): void {
    this.#changes?.forget(count);
    this.#changes?.rebase(this.#state?.metadata ?? EMPTY_METADATA, this.#state?.metadataBytes ?? 0);
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

  /** The data as this request sees it; looking at it here is not the handler's reading. */
  get view(): Metadata {
    return this.#changes?.metadata ?? this.#state?.metadata ?? EMPTY_METADATA;
  }

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
