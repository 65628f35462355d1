import type { ActivityEntry } from "./activity/entry.ts";
import { entryMetadata } from "./activity/entry-metadata.ts";
import type { ClientFacts, RequestHead } from "./client.ts";
import type { RegisteredData } from "./data.ts";
import type { Engine } from "./engine.ts";
import { isOutage, isSessionError, SessionError } from "./errors.ts";
import type { LostWriteReason } from "./events.ts";
import { createFresh } from "./fresh-session.ts";
import { isPromise } from "./gateway.ts";
import { cutText } from "./internal/cut-text.ts";
import { pathOf } from "./internal/path.ts";
import { IssuedCookies, type ResponseHead } from "./issued-cookies.ts";
import { deadline } from "./lifecycle.ts";
import { EMPTY_METADATA, type JsonValue } from "./metadata.ts";
import type { SessionRecord } from "./record.ts";
import { storeFull } from "./refusals.ts";
import { type Session, SessionHandle } from "./session.ts";
import { SessionWork } from "./session-work.ts";
import { storeInTurn } from "./session-writes.ts";
import type { MaybePromise } from "./store.ts";
import type { TrackItem } from "./track-batch.ts";

/** Longest user agent that is kept. */
export const MAX_USER_AGENT = 512;

/** Longest name of a custom action. */
const MAX_ACTION = 128;

/** Status of a request whose client left before there was an answer. */
const CLIENT_LEFT = 499;

/** How a request ended. */
export interface Outcome {
  /** HTTP status; 499 when the client left before the headers did. */
  status: number;
  /** Bytes of the response body as it was sent. */
  responseSize: number;
  /** Bytes of the request body. Default: its `Content-Length`, or 0. */
  requestSize?: number;
  /** Path without its query string. Default: the request's. */
  endpoint?: string;
}

/** One request's use of a session: opened, used by the handler, committed, sealed, finished. */
export interface Visit<Data extends object = RegisteredData> {
  readonly session: Session<Data>;
  /** Whether `commit` has something to wait for; where it is false, the answer may leave at once. */
  readonly isDirty: boolean;
  /**
   * Stores what changed since the last commit and answers the `Set-Cookie` values as they then stand. May be
   * called again. Rejects with what makes the answer wrong: an outage (see docs/errors.md), `STORE_FULL`,
   * `METADATA_TOO_LARGE`, `INVALID_VALUE`. A session that has ended meanwhile does not reject: that raises
   * `lost-write` and takes the cookie out.
   */
  commit(): Promise<string[]>;
  /** Forgets what changed since the last commit: a request that is refused leaves nothing half done. */
  discard(): void;
  /**
   * The headers leave now: writes `Set-Cookie`, and what keeps caches from mixing up users. From here on, a
   * change of the cookie throws `HEADERS_SENT`.
   */
  seal(head: ResponseHead): void;
  /** What is known of the client, as far as proxies are trusted. */
  readonly facts: ClientFacts;
  /**
   * Makes the session of a newcomer now, where the first write would make it. Throws `STORE_FULL` and, where the store
   * could not be asked, what kept it from being asked.
   */
  ensure(): Promise<void>;
  /** This request is about sessions, not of one: it stands in no timeline and no count, and keeps nobody alive. */
  markManagement(): void;
  /** The response is complete, or the client has left. Writes the timeline; never throws and never waits. */
  finish(outcome: Outcome): void;
}

/** The visit as this package's own parts see it. */
export class RequestVisit implements Visit<object> {
  readonly engine: Engine;
  readonly work: SessionWork;
  readonly cookies: IssuedCookies;
  readonly facts: ClientFacts;
  /** Path of the request, without its query string. */
  readonly path: string;
  /** When the request arrived, epoch milliseconds. */
  readonly openedAt: number;
  readonly #head: RequestHead;
  readonly #startedAt: number;
  readonly #isPassive: boolean;
  #handle: SessionHandle<object> | undefined;
  #annotations: { readonly [key: string]: JsonValue } | undefined;
  #isManagement = false;
  #isFinished = false;
  #stopWatching: (() => void) | undefined;

  constructor(engine: Engine, head: RequestHead, facts: ClientFacts) {
    this.engine = engine;
    this.#head = head;
    this.facts = facts;
    this.path = pathOf(head.url);
    this.openedAt = engine.now();
    this.#startedAt = engine.config.clock.monotonic();
    this.#isPassive = engine.config.passive(head) === true;
    this.cookies = new IssuedCookies(engine.config, engine.isEncrypted(facts));
    this.work = new SessionWork(engine, this, this.cookies);
  }

  get session(): Session<object> {
    this.#handle ??= new SessionHandle<object>(this);
    return this.#handle;
  }

  get isDirty(): boolean {
    return this.work.isDirty;
  }

  async commit(): Promise<string[]> {
    const keys = this.work.changedKeys;
    try {
      await storeInTurn(this.work);
    } catch (error) {
      this.#reportLost(keys, error);
      this.work.discard();
      if (!isSessionError(error) || !isOverCode(error)) throw error;
    }
    return this.cookies.values;
  }

  discard(): void {
    this.work.discard();
  }

  /** From here until the headers leave, the client's leaving ends the visit. */
  watch(signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) this.#leave();
    if (signal === undefined || signal.aborted) return;
    const leave = (): void => this.#leave();
    signal.addEventListener("abort", leave);
    this.#stopWatching = () => signal.removeEventListener("abort", leave);
  }

  seal(head: ResponseHead): void {
    this.#stopWatching?.();
    this.cookies.seal(head, this.work.wasRead);
  }

  finish(outcome: Outcome): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#stopWatching?.();
    const lost = this.work.finish();
    if (isPromise(lost)) void lost.then((keys) => this.#reportLost(keys, undefined));
    else this.#reportLost(lost, undefined);
    const id = this.work.trackedId;
    if (id === undefined || this.#isManagement) return;
    this.engine.tracker.add(this.#observation(id, this.#entry(outcome), false));
  }

  ensure(): Promise<void> {
    return this.work.inTurn(async () => {
      if (this.work.absence?.kind === "none")
        await createFresh(this.work, undefined, EMPTY_METADATA, 0);
      if (this.work.absence?.kind === "full") throw storeFull();
      this.work.refuseIfUnavailable();
    });
  }

  markManagement(): void {
    this.#isManagement = true;
  }

  /** Tells the store now that the client is there: for the first time, or shortly before it would be too late. */
  touch(record: SessionRecord): MaybePromise<void> {
    const left = deadline(record) - this.openedAt;
    const isUrgent = left < Math.max(2 * this.engine.config.flushInterval, 5000);
    // A request may run for long, and what it observes is written when it ends.
    if (!isUrgent && record.confirmed && left >= record.state.idleTimeout / 2) return;
    // The path is a guess that `markManagement` may confirm later; if it is wrong, the request's end counts.
    const isAboutSessions = this.#isManagement || this.engine.isManagementPath(this.path);
    const item = this.#observation(record.state.id, undefined, isAboutSessions);
    if (isUrgent) return this.engine.tracker.write(item);
    this.engine.tracker.add(item);
  }

  /** Adds a line of the handler's own to the timeline. */
  track(action: string, metadata: object | undefined): void {
    if (typeof action !== "string" || action === "") {
      throw new SessionError("INVALID_ARGUMENT", "track needs the name of an action.");
    }
    const own = metadata === undefined ? undefined : entryMetadata(metadata);
    const id = this.work.presence?.record.state.id;
    if (id === undefined || !this.engine.config.trackUserActivity) return;
    const entry = this.engine.redacted({
      timestamp: this.engine.now(),
      action: cutText(action, MAX_ACTION),
      endpoint: this.path,
      method: this.#head.method,
      statusCode: 0,
      duration: this.#elapsed(),
      requestSize: 0,
      responseSize: 0,
      ...(own === undefined ? {} : { metadata: own }),
    });
    this.engine.tracker.add({
      id,
      seenAt: this.openedAt,
      access: false,
      active: false,
      confirm: false,
      request: undefined,
      entry,
    });
  }

  /** Adds to this request's own line. */
  annotate(metadata: object): void {
    const own = entryMetadata(metadata);
    const before = this.#annotations;
    this.#annotations = before === undefined ? own : entryMetadata({ ...before, ...own });
  }

  userAgent(): string {
    return cutText(this.#head.headers.get("user-agent") ?? "", MAX_USER_AGENT);
  }

  /** What cannot be stored has raised `lost-write`; nobody waits for an answer any more. */
  #leave(): void {
    const finish = (): void => this.finish({ status: CLIENT_LEFT, responseSize: 0 });
    if (this.isDirty) void this.commit().then(finish, finish);
    else finish();
  }

  #entry(outcome: Outcome): ActivityEntry {
    const entry: ActivityEntry = {
      timestamp: this.openedAt,
      action: "request",
      endpoint: outcome.endpoint ?? this.path,
      method: this.#head.method,
      statusCode: outcome.status,
      duration: this.#elapsed(),
      requestSize: outcome.requestSize ?? contentLength(this.#head),
      responseSize: outcome.responseSize,
    };
    return this.#annotations === undefined ? entry : { ...entry, metadata: this.#annotations };
  }

  #observation(
    id: string,
    request: ActivityEntry | undefined,
    isAboutSessions: boolean,
  ): TrackItem {
    return {
      id,
      seenAt: this.openedAt,
      access: !isAboutSessions,
      active: !this.#isPassive && !isAboutSessions,
      // The session that this request made has not come back yet.
      confirm: !this.work.isNew,
      request,
      entry:
        request === undefined || !this.engine.config.trackUserActivity
          ? undefined
          : this.engine.redacted(request),
    };
  }

  #elapsed(): number {
    return this.engine.config.clock.monotonic() - this.#startedAt;
  }

  #reportLost(keys: readonly string[], cause: unknown): void {
    if (keys.length === 0) return;
    const error = isSessionError(cause) ? cause : undefined;
    this.engine.events.emit("lost-write", {
      sessionId: this.work.trackedId ?? "",
      keys,
      reason: lostReason(error, this.work.absence?.kind),
      error,
    });
  }
}

function isOverCode(error: SessionError): boolean {
  return error.code === "SESSION_ENDED" || error.code === "SESSION_SUPERSEDED";
}

function lostReason(error: SessionError | undefined, absence: string | undefined): LostWriteReason {
  if (error?.code === "SESSION_ENDED" || absence === "ended") return "ended";
  if (error?.code === "SESSION_SUPERSEDED" || absence === "superseded") return "superseded";
  if (absence === "withheld") return "withheld";
  return error === undefined || isOutage(error) ? "unavailable" : "refused";
}

/** The announced size of the request body; a chunked one is known to the host alone. */
function contentLength(head: RequestHead): number {
  const size = Number(head.headers.get("content-length") ?? 0);
  return Number.isSafeInteger(size) && size >= 0 ? size : 0;
}
