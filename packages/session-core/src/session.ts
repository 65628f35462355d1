import type { DataKey, DeepReadonly, NumberKey, RegisteredData } from "./data.ts";
import { devices, endOther, endOthers } from "./devices.ts";
import { SessionError } from "./errors.ts";
import { regenerate, signIn, signOut } from "./identity.ts";
import { deadline, lifecycle } from "./lifecycle.ts";
import type { EndReason, SessionRecord } from "./record.ts";
import type { SessionWork } from "./session-work.ts";
import { save, update } from "./session-writes.ts";
import type { Page, UserSession } from "./view.ts";
import type { RequestVisit } from "./visit.ts";

/**
 * What ending sessions came to. `ended`: how many it reached. `durable`: confirmed by everything that could take over
 * from the store's primary; false: accepted by the primary alone, so that a failover can bring the sessions back until it
 * has been applied again. Where nothing was ended there is nothing to lose: true.
 */
export interface RevokeResult {
  readonly ended: number;
  readonly durable: boolean;
}

/** Whether what a handler stores is kept. */
export type SessionAvailability = "ok" | "unsaved" | "unavailable";

export interface SignInOptions<Data extends object> {
  /**
   * What stays of the data gathered so far: all, or the named keys. Default: nothing of an anonymous session;
   * everything when the same user signs in again.
   */
  keep?: true | readonly DataKey<Data>[];
  /** Data to store together with the sign-in. */
  metadata?: Partial<Data>;
}

/**
 * One request's use of its session. Changes are seen at once by this request and stored before the response is
 * complete; `await save()` stores them now and throws what went wrong.
 *
 * Data is plain JSON. It cannot be changed in place or by assignment, which throws.
 */
export interface Session<Data extends object = RegisteredData> extends UserSession<Data> {
  /** Whether this request made it. */
  readonly isNew: boolean;
  /**
   * `unsaved`: there is no session and none is made, because the store is full or the request is not one that
   * may get one. `unavailable`: the store could not be asked (only with `onStoreError: 'unavailable'`).
   */
  readonly state: SessionAvailability;
  get<Key extends DataKey<Data>>(key: Key): DeepReadonly<Data[Key]> | undefined;
  /** Stores one value; the last write wins. Throws `INVALID_VALUE`, `METADATA_TOO_LARGE`, `SESSION_ENDED`, … */
  set<Key extends DataKey<Data>>(key: Key, value: Data[Key]): void;
  delete(key: DataKey<Data>): void;
  /** Adds to a number; concurrent increments add up. A missing value counts as 0. Default: 1. */
  increment(key: NumberKey<Data>, by?: number): void;
  /**
   * Computes a new value from the current one and stores it, atomically: `fn` runs again if another request was
   * faster, so it must have no side effects. Resolves to the value stored.
   */
  update<Key extends DataKey<Data>>(
    key: Key,
    fn: (current: DeepReadonly<Data[Key]> | undefined) => Data[Key],
  ): Promise<DeepReadonly<Data[Key]>>;
  /**
   * Makes this the session of a user: new secret, both timeouts from now. The id stays, unless there was no
   * session or another user's. Throws `USER_LIMIT`, `STORE_FULL`, `SESSION_SUPERSEDED`, `HEADERS_SENT`, ….
   */
  signIn(userId: string, options?: SignInOptions<Data>): Promise<void>;
  /**
   * Ends the session and clears the cookie; none starts in the same response. Idempotent. Resolves to whether it ended
   * here and whether that is `durable`; see {@link RevokeResult}.
   */
  signOut(): Promise<RevokeResult>;
  /** Gives the session a new secret at once, as after a change of privileges. */
  regenerate(): Promise<void>;
  /** Stores the changes made so far now, and throws what could not be stored. */
  save(): Promise<void>;
  /** Adds a line of its own to the timeline. */
  track(action: string, metadata?: object): void;
  /** Adds to this request's own line in the timeline. */
  annotate(metadata: object): void;
  /** The live sessions of the same user, this one among them, newest first. */
  devices(): Promise<Page<UserSession<Data>>>;
  /**
   * Ends another session of the same user; false if there is no such. Whether the end is durable, `manager.revoke` tells.
   */
  endOther(id: string): Promise<boolean>;
  /** Ends all other sessions of the same user and answers how many. Throws `UNSUPPORTED` without an index of users. */
  endOthers(): Promise<number>;
}

/**
 * Stands behind the handle's prototype: an assignment that no property of the handle takes ends up here. It throws
 * also in sloppy mode, where a frozen object would ignore `req.session.cart = …` in silence and lose what
 * express-session would have stored. (`delete req.session.cart` cannot be noticed this way; it changes nothing.)
 */
const REFUSE_ASSIGNMENT: object = new Proxy(
  {},
  {
    set(_target, key): never {
      throw assigned(String(key));
    },
  },
);

function assigned(key: string): SessionError {
  return new SessionError(
    "INVALID_ARGUMENT",
    `session.${key} cannot be assigned: store data with session.set("${key}", value).`,
  );
}

/** The handle that handlers hold. It only translates; the work is done by {@link SessionWork}. */
export class SessionHandle<Data extends object> implements Session<Data> {
  readonly #visit: RequestVisit;

  constructor(visit: RequestVisit) {
    this.#visit = visit;
    Object.preventExtensions(this);
  }

  get #work(): SessionWork {
    return this.#visit.work;
  }
  /** The same, by a handler that looks at the session. */
  get #seen(): SessionWork {
    this.#work.wasRead = true;
    return this.#work;
  }
  get #record(): SessionRecord | undefined {
    return this.#seen.presence?.record;
  }

  get id(): string {
    return this.#work.id;
  }
  get userId(): string | undefined {
    return this.#work.state?.userId;
  }
  get ipAddress(): string {
    return this.#work.state?.ipAddress ?? this.#visit.facts.address;
  }
  get userAgent(): string {
    return this.#work.state?.userAgent ?? this.#visit.userAgent();
  }
  get createdAt(): number {
    return this.#work.state?.createdAt ?? this.#visit.openedAt;
  }
  get lastAccessTime(): number {
    return this.#record?.lastAccessTime ?? this.#visit.openedAt;
  }
  get lastActivityTime(): number {
    return this.#record?.lastActivityTime ?? this.#visit.openedAt;
  }
  get requestCount(): number {
    return this.#record?.requestCount ?? 0;
  }
  get isActive(): boolean {
    const record = this.#record;
    return record !== undefined && lifecycle(record, this.#visit.engine.now()) === "live";
  }
  get expiresAt(): number {
    return this.#record === undefined ? this.#visit.openedAt : deadline(this.#record);
  }
  get endedAt(): number | undefined {
    return this.#work.end?.at ?? this.#record?.endedAt;
  }
  get endReason(): EndReason | undefined {
    return this.#work.end?.reason ?? this.#record?.endReason;
  }
  get isNew(): boolean {
    return this.#seen.isNew;
  }
  get state(): SessionAvailability {
    switch (this.#seen.absence?.kind) {
      case "full":
      case "withheld":
        return "unsaved";
      case "unavailable":
        return "unavailable";
      default:
        return "ok";
    }
  }
  get metadata(): DeepReadonly<Partial<Data>> {
    return this.#work.metadata as DeepReadonly<Partial<Data>>;
  }

  get<Key extends DataKey<Data>>(key: Key): DeepReadonly<Data[Key]> | undefined {
    return this.#work.get(key) as DeepReadonly<Data[Key]> | undefined;
  }
  set<Key extends DataKey<Data>>(key: Key, value: Data[Key]): void {
    this.#work.set(key, value);
  }
  delete(key: DataKey<Data>): void {
    this.#work.delete(key);
  }
  increment(key: NumberKey<Data>, by = 1): void {
    this.#work.increment(key, by);
  }
  update<Key extends DataKey<Data>>(
    key: Key,
    fn: (current: DeepReadonly<Data[Key]> | undefined) => Data[Key],
  ): Promise<DeepReadonly<Data[Key]>> {
    const compute = fn as (current: unknown) => unknown;
    return update(this.#work, key, compute) as Promise<DeepReadonly<Data[Key]>>;
  }
  async signIn(userId: string, options: SignInOptions<Data> = {}): Promise<void> {
    await signIn(this.#work, userId, options);
  }
  async signOut(...rest: unknown[]): Promise<RevokeResult> {
    refuseCallback("signOut", rest);
    return signOut(this.#work);
  }
  async regenerate(...rest: unknown[]): Promise<void> {
    refuseCallback("regenerate", rest);
    await regenerate(this.#work);
  }
  async save(...rest: unknown[]): Promise<void> {
    refuseCallback("save", rest);
    await save(this.#work);
  }
  track(action: string, metadata?: object): void {
    this.#visit.track(action, metadata);
  }
  annotate(metadata: object): void {
    this.#visit.annotate(metadata);
  }
  devices(): Promise<Page<UserSession<Data>>> {
    return devices(this.#visit);
  }
  endOther(id: string): Promise<boolean> {
    return endOther(this.#visit, id);
  }
  endOthers(): Promise<number> {
    return endOthers(this.#visit);
  }

  /** What `JSON.stringify` and loggers show: the public facts, never a token. */
  toJSON(): UserSession<Data> {
    const { id, userId, ipAddress, userAgent, createdAt, lastAccessTime, lastActivityTime } = this;
    const { requestCount, isActive, expiresAt, endedAt, endReason, metadata } = this;
    return {
      id, userId, ipAddress, userAgent, createdAt, lastAccessTime, lastActivityTime,
      requestCount, isActive, expiresAt, endedAt, endReason, metadata,
    }; // biome-ignore format: the list is the point
  }
}

closeHandle();

/**
 * Gives Node's `util.inspect` (through its registered symbol, so nothing is imported) the same public facts as
 * `JSON.stringify`, and every property and method a setter that says what to do instead.
 */
function closeHandle(): void {
  const { prototype } = SessionHandle;
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    // A method that is a plain value would swallow an assignment in sloppy mode.
    const { get = (): unknown => property.value } = property;
    const set = (): never => {
      throw assigned(key);
    };
    Object.defineProperty(prototype, key, { get, set });
  }
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value: prototype.toJSON,
  });
  Object.setPrototypeOf(prototype, REFUSE_ASSIGNMENT);
}

/** A habit from express-session, where these take a callback that here would never be called. */
function refuseCallback(method: string, rest: readonly unknown[]): void {
  if (rest.every((argument) => typeof argument !== "function")) return;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `session.${method} takes no callback: write \`await session.${method}()\`.`,
  );
}
