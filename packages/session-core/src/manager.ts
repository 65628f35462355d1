import type { ActivityEntry } from "./activity/entry.ts";
import type { ConnectionInfo, RequestHead } from "./client.ts";
import type { ResolvedConfig, SessionConfig } from "./config.ts";
import { createSession } from "./create-session.ts";
import type { RegisteredData } from "./data.ts";
import { Engine, reportError } from "./engine.ts";
import { RandomText } from "./environment.ts";
import { SessionError } from "./errors.ts";
import { EventEmitter, type SessionEventListener, type SessionEventName } from "./events.ts";
import { StoreGateway } from "./gateway.ts";
import { NONE_ENDED } from "./identity.ts";
import { checkId, checkReason, checkUserId } from "./internal/check-arguments.ts";
import { checkStore } from "./internal/check-parts.ts";
import { invalidOption } from "./internal/invalid-option.ts";
import { memoryStore } from "./memory/memory-store.ts";
import { type SessionMetrics, toSessionMetrics } from "./metrics/session-metrics.ts";
import { openVisit, type VisitOptions } from "./open.ts";
import { patchSession } from "./patch-session.ts";
import {
  type ActivityQuery,
  resolveActivityQuery,
  resolveSessionQuery,
  type SessionQuery,
} from "./query.ts";
import type { EndReason, SessionRecord } from "./record.ts";
import { recordActivity } from "./record-activity.ts";
import { resolveConfig } from "./resolve-config.ts";
import type { RevokeResult } from "./session.ts";
import { resolveInit, type SessionInit } from "./session-init.ts";
import { describeStatus, type SessionStatus } from "./status.ts";
import type { MaybePromise, SessionStore, StoreEvent } from "./store.ts";
import { Sweeper } from "./sweeper.ts";
import { formatToken } from "./token.ts";
import { Tracker } from "./tracker.ts";
import { type Page, toUserSession, type UserSession } from "./view.ts";
import type { Visit } from "./visit.ts";
import { type SessionHandler, type WrapOptions, wrapHandler } from "./wrap.ts";

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
    if (this.config.userLimit !== undefined && !capabilities.userIndex) {
      const rule = `left out: the store ${capabilities.name} has no index of users`;
      throw invalidOption("maxSessionsPerUser", rule, this.config.userLimit.max);
    }
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
    const visit: unknown = openVisit(this.#engine, head, connection, options);
    // The data's type is the application's promise; nothing at run time depends on it.
    return visit as MaybePromise<Visit<Data>>;
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
    return wrapHandler((...opening) => this.visit(...opening), handler, options);
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
    const facts = resolveInit(this.#engine, init);
    const { record, token } = await createSession(this.#engine, facts);
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
    return recordActivity(this.#engine, id, entry);
  }

  /** Sets some keys of a live session's data; undefined if there is no such session. */
  async patch(id: string, metadata: Partial<Data>): Promise<UserSession<Data> | undefined> {
    this.#start();
    checkId(id);
    const record = await patchSession(this.#engine, id, metadata);
    return record === undefined ? undefined : this.#view(record);
  }

  /** Ends a session. After this, no request is served with it. Idempotent: 0 if there was nothing to end. */
  async revoke(id: string, options: { reason?: EndReason } = {}): Promise<RevokeResult> {
    this.#start();
    checkId(id);
    const reason = checkReason(options.reason);
    const result = await this.#engine.gateway.call("end", (store, call) =>
      store.end(id, reason, {}, call),
    );
    return result.status === "ended" ? { ended: 1, durable: result.durable } : NONE_ENDED;
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
    const own = {
      latency: gateway.latency(),
      errors: gateway.errors(),
      trackingDropped: tracker.dropped,
      counters,
    };
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

  #view(record: SessionRecord): UserSession<Data> {
    return toUserSession<Data>(record, this.#engine.now());
  }
}
