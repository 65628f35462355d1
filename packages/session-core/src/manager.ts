import type { ActivityEntry } from "./activity/entry.ts";
import type { ConnectionInfo, RequestHead } from "./client.ts";
import { type ResolvedConfig, resolveConfig, type SessionConfig } from "./config.ts";
import { createSession } from "./create-session.ts";
import type { RegisteredData } from "./data.ts";
import { describe } from "./duration.ts";
import { Engine, reportError } from "./engine.ts";
import { RandomText } from "./environment.ts";
import { SessionError } from "./errors.ts";
import { EventEmitter, type SessionEventListener, type SessionEventName } from "./events.ts";
import { StoreGateway } from "./gateway.ts";
import { checkStore } from "./internal/check-parts.ts";
import { cutText } from "./internal/cut-text.ts";
import { MAX_PATH, pathOf } from "./internal/path.ts";
import { lifecycle } from "./lifecycle.ts";
import { memoryStore } from "./memory/memory-store.ts";
import { checkKey, EMPTY_METADATA } from "./metadata.ts";
import { type SessionMetrics, toSessionMetrics } from "./metrics/session-metrics.ts";
import { openVisit, type VisitOptions } from "./open.ts";
import {
  type ActivityQuery,
  resolveActivityQuery,
  resolveSessionQuery,
  type SessionQuery,
} from "./query.ts";
import type { EndReason, Transport } from "./record.ts";
import { notANumber, tooLarge } from "./refusals.ts";
import { describeStatus, type SessionStatus } from "./status.ts";
import type { MetadataOp, SessionStore, StoreEvent } from "./store.ts";
import { Sweeper } from "./sweeper.ts";
import { formatToken } from "./token.ts";
import { Tracker } from "./tracker.ts";
import { applyOps } from "./transition.ts";
import { type Page, toUserSession, type UserSession } from "./view.ts";
import { entryMetadata, MAX_USER_AGENT, type Visit } from "./visit.ts";
import { type SessionHandler, type WrapOptions, wrapHandler } from "./wrap.ts";

/** A session to make without a request. */
export interface SessionInit<Data extends object> {
  /** Default: an anonymous session. */
  userId?: string;
  ipAddress?: string;
  userAgent?: string;
  metadata?: Partial<Data>;
  /** The one transport that the token works on. Default: the first of `transports`. */
  transport?: Transport;
}

/** How many sessions an end reached, and whether it survives the loss of the store's primary. */
export interface RevokeResult {
  readonly ended: number;
  readonly durable: boolean;
}

const END_REASONS: ReadonlySet<string> = new Set<EndReason>([
  "signed-out", "revoked", "idle", "absolute", "provisional", "limit", "reuse", "binding", "shutdown", "erased",
]); // biome-ignore format: a list of names
const INIT_KEYS: ReadonlySet<string> = new Set([
  "userId",
  "ipAddress",
  "userAgent",
  "metadata",
  "transport",
]);
const MAX_PATCH_ATTEMPTS = 100;
/** Longest text of an IP address, with a zone. */
const MAX_ADDRESS = 64;

/**
 * The sessions of one application. Hosts open visits with it; the application lists, ends and counts.
 *
 * Making one starts no timer and draws no randomness; both begin with its first use. Two managers in one process
 * know nothing of each other, unless they are given the same store.
 */
export class SessionManager<Data extends object = RegisteredData> {
  /** The configuration as it is used: complete and frozen. */
  readonly config: ResolvedConfig;
  readonly #engine: Engine;
  readonly #ownsStore: boolean;
  readonly #sweeper: Sweeper;
  #unsubscribe: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Throws `INVALID_CONFIG`, naming the option, the rule and the value received. */
  constructor(config: SessionConfig<Data> = {}) {
    const store: SessionStore = checkStore(config.store) ?? memoryStore();
    const { capabilities } = store;
    this.config = resolveConfig(config, !capabilities.durable && !capabilities.shared);
    this.#ownsStore = config.store === undefined;
    const { clock, activity } = this.config;
    store.attach({
      now: () => clock.now(),
      activityLimit: activity.limit,
      activityBytes: activity.maxBytes,
      activityRetention: activity.retention,
      endedRetention: this.config.endedRetention,
      maxEnded: this.config.maxEnded,
      metrics: this.config.enableMetrics,
    });
    const events = new EventEmitter(reportError);
    const gateway = new StoreGateway(store, this.config.storeTimeout, clock, events);
    const random = new RandomText(this.config.random);
    let instance = "";
    const tracker = new Tracker(gateway, events, this.config, () => {
      instance ||= random.characters(16);
      return instance;
    });
    this.#engine = new Engine(this.config, { gateway, events, tracker, random });
    this.#sweeper = new Sweeper(gateway, capabilities.sweepInterval ?? this.config.cleanupInterval);
  }

  // Requests.

  /**
   * Opens a request's visit. Rejects with `STORE_UNAVAILABLE` (unless `onStoreError` is `'unavailable'`) and with
   * `CREDENTIALS_CONFLICT` where two transports bring a token each.
   */
  async visit(
    head: RequestHead,
    connection: ConnectionInfo = {},
    options: VisitOptions = {},
  ): Promise<Visit<Data>> {
    this.#start();
    const visit = await openVisit(this.#engine, head, connection, options);
    // The data's type is the application's promise; nothing at run time depends on it.
    return visit as unknown as Visit<Data>;
  }

  /**
   * A fetch handler with a session, as `Bun.serve`, `Deno.serve` and Workers call it. A `SessionError` becomes its
   * own answer; other errors pass. What else the host passes to the handler follows the session.
   */
  wrap<Rest extends unknown[]>(
    handler: SessionHandler<Data, Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  /** `connection` tells what the host passes, so that a handler may leave out what it does not need. */
  wrap<Rest extends unknown[], Handler extends SessionHandler<Data, Rest>>(
    handler: Handler,
    options: WrapOptions<Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
  wrap<Rest extends unknown[]>(
    handler: SessionHandler<Data, Rest>,
    options: WrapOptions<Rest> = {},
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    return wrapHandler((request, connection) => this.visit(request, connection), handler, options);
  }

  /**
   * Says that a management API answers under this path, so that a request for it is not given a session of its
   * own only for asking. `createSessionApi` calls it.
   */
  reserve(basePath: string): void {
    this.#engine.managementPaths.add(basePath);
  }

  // Sessions.

  /** Makes a session and its token, which is shown this once. Throws `STORE_FULL`, `USER_LIMIT`, `INVALID_VALUE`. */
  async create(
    init: SessionInit<Data> = {},
  ): Promise<{ session: UserSession<Data>; token: string }> {
    this.#start();
    refuseUnknown(init, INIT_KEYS);
    if (init.userId !== undefined) checkUserId(init.userId);
    const transport = init.transport ?? this.config.transports[0] ?? "cookie";
    if (!this.config.transports.includes(transport)) {
      throw new SessionError(
        "INVALID_ARGUMENT",
        `transport must be one of the configured transports, got ${describe(transport)}.`,
      );
    }
    const { metadata = {}, ipAddress = "", userAgent = "" } = init;
    checkText("ipAddress", ipAddress);
    checkText("userAgent", userAgent);
    const data = this.#initialData(metadata);
    const { record, token } = await createSession(this.#engine, {
      transport,
      userId: init.userId,
      ipAddress: cutText(ipAddress, MAX_ADDRESS),
      userAgent: cutText(userAgent, MAX_USER_AGENT),
      metadata: data.metadata,
      bytes: data.bytes,
    });
    return { session: this.#view(record), token: formatToken(token) };
  }

  /** One session, also an ended one within `endedRetention`. */
  async get(id: string): Promise<UserSession<Data> | undefined> {
    this.#start();
    checkId(id);
    const record = await this.#engine.gateway.call("find", (store, call) => store.find(id, call));
    return record === undefined ? undefined : this.#view(record);
  }

  /** Sessions, newest first. Throws `INVALID_ARGUMENT` naming the property. */
  async list(query: SessionQuery = {}): Promise<Page<UserSession<Data>>> {
    this.#start();
    const resolved = resolveSessionQuery(query);
    const page = await this.#engine.gateway.call("list", (store, call) =>
      store.list(resolved, call),
    );
    return {
      items: page.records.map((record) => this.#view(record)),
      nextCursor: page.nextCursor,
      total: page.total,
    };
  }

  /** A session's timeline, newest first; empty for an id that is not known. */
  async activity(id: string, query: ActivityQuery = {}): Promise<Page<ActivityEntry>> {
    this.#start();
    checkId(id);
    const resolved = resolveActivityQuery(query);
    const page = await this.#engine.gateway.call("read", (store, call) =>
      store.activity(id, resolved, call),
    );
    if (page === undefined) return { items: [], total: 0 };
    return { items: page.entries, nextCursor: page.nextCursor, total: page.total };
  }

  /** Adds a line to a live session's timeline from outside a request; false if there is no such session. */
  async recordActivity(id: string, entry: Partial<ActivityEntry>): Promise<boolean> {
    this.#start();
    checkId(id);
    const now = this.#engine.now();
    const record = await this.#engine.gateway.call("find", (store, call) => store.find(id, call));
    if (record === undefined || lifecycle(record, now) !== "live") return false;
    if (!this.config.trackUserActivity) return true;
    const complete: ActivityEntry = {
      timestamp: entry.timestamp ?? now,
      action: cutText(entry.action ?? "action", 128),
      endpoint: cutText(pathOf(entry.endpoint ?? "/"), MAX_PATH),
      method: cutText(entry.method ?? "", 16),
      statusCode: entry.statusCode ?? 0,
      duration: entry.duration ?? 0,
      requestSize: entry.requestSize ?? 0,
      responseSize: entry.responseSize ?? 0,
      ...(entry.metadata === undefined ? {} : { metadata: entryMetadata(entry.metadata) }),
    };
    this.#engine.tracker.add({
      id,
      seenAt: now,
      access: false,
      active: false,
      confirm: false,
      request: undefined,
      entry: this.#engine.redacted(complete),
    });
    return true;
  }

  /** Sets some keys of a live session's data; undefined if there is no such session. */
  async patch(id: string, metadata: Partial<Data>): Promise<UserSession<Data> | undefined> {
    this.#start();
    checkId(id);
    const { gateway } = this.#engine;
    for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
      const record = await gateway.call("find", (store, call) => store.find(id, call));
      if (record === undefined) return undefined;
      const commit = {
        opId: this.#engine.opId(),
        epoch: record.state.epoch,
        secretHash: undefined,
        version: undefined,
        ops: this.#ops(metadata, record.state.metadata),
        maxMetadataBytes: this.config.maxMetadataBytes,
        change: undefined,
      };
      const result = await gateway.call("commit", (store, call) => store.commit(id, commit, call));
      if (result.status === "applied") return this.#view(result.record);
      if (result.status === "gone") return undefined;
      if (result.status !== "refused") continue;
      throw result.limit === "metadata"
        ? tooLarge(result.bytes, this.config.maxMetadataBytes)
        : notANumber(id);
    }
    throw new SessionError(
      "UPDATE_CONFLICT",
      "Others kept changing the session; the patch gave up.",
    );
  }

  /** Ends a session. After this, no request is served with it. Idempotent: 0 if there was nothing to end. */
  async revoke(id: string, options: { reason?: EndReason } = {}): Promise<RevokeResult> {
    this.#start();
    checkId(id);
    const reason = checkReason(options.reason);
    const result = await this.#engine.gateway.call("end", (store, call) =>
      store.end(id, reason, {}, call),
    );
    return result.status === "ended"
      ? { ended: 1, durable: result.durable }
      : { ended: 0, durable: true };
  }

  /** Ends every session that the user has when this is called, but `except`. */
  async revokeUser(
    userId: string,
    options: { except?: string; reason?: EndReason } = {},
  ): Promise<RevokeResult> {
    this.#start();
    checkUserId(userId);
    if ("except" in options) checkId(options.except);
    const reason = checkReason(options.reason);
    const result = await this.#engine.gateway.call("end", (store, call) =>
      store.endUser(userId, reason, { except: options.except }, call),
    );
    return { ended: result.ended.length, durable: result.durable };
  }

  // Observation.

  /** The numbers, whose cost does not depend on how many sessions there are. Throws `DISABLED`. */
  async metrics(): Promise<SessionMetrics> {
    this.#start();
    if (!this.config.enableMetrics) {
      throw new SessionError("DISABLED", "Metrics are switched off: enableMetrics is false.");
    }
    const { gateway, tracker, counters } = this.#engine;
    const counted = await gateway.call("count", (store, call) => store.metrics(call));
    const own = { latency: gateway.latency(), trackingDropped: tracker.dropped, counters };
    return toSessionMetrics(counted, own, this.#engine.now());
  }

  /** What is switched on, how it is configured, and what the store can do. Nothing in it is secret. */
  async status(): Promise<SessionStatus> {
    this.#start();
    const metrics = this.config.enableMetrics ? await this.metrics() : undefined;
    return describeStatus(
      this.config,
      this.#engine.gateway.store.capabilities,
      metrics,
      this.#engine.now(),
    );
  }

  /** Hears what happens; see `SessionEvents`. Returns the way to stop. A failing listener fails nothing else. */
  on<Name extends SessionEventName>(event: Name, listener: SessionEventListener<Name>): () => void {
    this.#listen();
    return this.#engine.events.on(event, listener);
  }

  /** Sends what is waiting, stops the background work, and closes the store if the manager made it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#sweeper.stop();
    await this.#engine.tracker.close();
    this.#unsubscribe?.();
    if (this.#ownsStore) await this.#engine.gateway.store.close();
  }

  /** Background work begins with the first use, because Workers forbid it while modules load. */
  #start(): void {
    this.#listen();
    if (this.#closing === undefined) this.#sweeper.start();
  }

  /** Starts no timer: an application may name its listeners while modules load. */
  #listen(): void {
    if (this.#unsubscribe !== undefined || this.#closing !== undefined) return;
    this.#unsubscribe = this.#engine.gateway.store.subscribe((event) => this.#announce(event));
  }

  #announce(event: StoreEvent): void {
    const { sessionId, userId, at } = event;
    const { events } = this.#engine;
    if (event.type === "ended") {
      events.emit("ended", { sessionId, userId, at, reason: event.reason ?? "revoked" });
      return;
    }
    events.emit(event.type, { sessionId, userId, at });
    // A sign-in without a session to take on makes one: who watches for sign-ins must not miss it.
    if (event.type === "created" && userId !== undefined) {
      events.emit("signed-in", { sessionId, userId, at });
    }
  }

  #view(record: Parameters<typeof toUserSession>[0]): UserSession<Data> {
    return toUserSession<Data>(record, this.#engine.now());
  }

  #initialData(metadata: object): { metadata: typeof EMPTY_METADATA; bytes: number } {
    const ops = this.#ops(metadata, EMPTY_METADATA);
    const data = applyOps({ metadata: EMPTY_METADATA, bytes: 0 }, ops);
    if (data.status === "refused") throw notANumber(data.key);
    if (data.bytes > this.config.maxMetadataBytes)
      throw tooLarge(data.bytes, this.config.maxMetadataBytes);
    return data;
  }

  #ops(metadata: object, current: typeof EMPTY_METADATA): MetadataOp[] {
    if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
      throw new SessionError(
        "INVALID_ARGUMENT",
        `metadata must be an object, got ${describe(metadata)}.`,
      );
    }
    return Object.entries(metadata).map(([key, value]) => {
      checkKey(key);
      return this.#engine.checked(key, value, current);
    });
  }
}

function checkId(id: unknown): asserts id is string {
  if (typeof id === "string" && id !== "") return;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `A session id is a non-empty text, got ${describe(id)}.`,
  );
}

/** A user id that is missing must never mean everybody. */
export function checkUserId(userId: unknown): asserts userId is string {
  if (typeof userId === "string" && userId !== "" && userId.length <= 256) return;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `A user id is a text of 1 to 256 characters, got ${describe(userId)}.`,
  );
}

function checkText(property: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new SessionError("INVALID_ARGUMENT", `${property} must be a text, got ${describe(value)}.`);
}

function checkReason(reason: unknown): EndReason {
  if (reason === undefined) return "revoked";
  if (typeof reason === "string" && END_REASONS.has(reason)) return reason as EndReason;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `reason must be one of ${[...END_REASONS].join(", ")}, got ${describe(reason)}.`,
  );
}

function refuseUnknown(given: object, known: ReadonlySet<string>): void {
  const unknown = Object.keys(given).find((key) => !known.has(key));
  if (unknown !== undefined)
    throw new SessionError("INVALID_ARGUMENT", `A new session has no property "${unknown}".`);
}
