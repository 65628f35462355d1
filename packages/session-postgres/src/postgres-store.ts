import {
  type ActivityEntry,
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
import { commitText } from "./commit-text.ts";
import { formatEntry, parseEntry } from "./cursor.ts";
import { Database, type Reply } from "./database.ts";
import { importStatuses, importText } from "./import.ts";
import { listPage } from "./list-page.ts";
import { type Counted, metricsOf } from "./metrics.ts";
import { Newsroom } from "./news.ts";
import { checkOptions, type PostgresStoreOptions, UNATTACHED } from "./options.ts";
import { recordOf, rowOf, unreadable } from "./stored-row.ts";
import { decodeText, encodeText, idText } from "./stored-text.ts";
import { batchText } from "./tracking.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  name: "postgres",
  durable: true,
  shared: true,
  atomic: true,
  userIndex: true,
  immediate: false,
  sweepInterval: undefined,
});

/** Sessions that one step of a sweep looks at. */
const SLICE = 200;

/** Sessions in PostgreSQL. */
export interface PostgresStore extends SessionStore {
  /**
   * Makes the tables and functions, or leaves them as they are; any number of processes may call it at once. Needs the
   * right to create in the schema, which is made if it is missing. The same as SQL: `sql/postgres.sql` in the package.
   */
  migrate(): Promise<void>;
}

/**
 * Keeps sessions in PostgreSQL 13 or newer, for any number of processes. Call `await store.migrate()` once before the
 * first use. Every change is one call of a function in the database, one transaction, acknowledged when PostgreSQL has
 * written it to disk (`synchronous_commit`); what that means after a failover to a standby is in the README.
 *
 * `list` leaves out records that cannot be read; `find` and `commit` reject with `RECORD_UNREADABLE`.
 *
 * Throws `INVALID_CONFIG` naming an option that is wrong. Methods reject with `STORE_MISCONFIGURED` where the
 * migration is missing or of another version, the user or the database is wrong, or the pool reaches a standby.
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  checkOptions(options);
  return new Store(options);
}

class Store implements PostgresStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #database: Database;
  readonly #news: Newsroom;
  #settings: StoreSettings = UNATTACHED;

  constructor(options: PostgresStoreOptions) {
    this.#database = new Database(options);
    const { connection, names } = this.#database;
    this.#news = new Newsroom(connection, names, options.listener);
  }

  get clockOffset(): number {
    return this.#database.clock.offset;
  }

  migrate(): Promise<void> {
    return this.#database.migrate();
  }

  attach(settings: StoreSettings): void {
    this.#database.check();
    this.#settings = settings;
    this.#database.localNow = settings.now;
  }

  async create(session: NewSession, limits: CreateLimits, call: StoreCall): Promise<CreateResult> {
    const { maxSessions, user } = limits;
    const given = {
      ...rowOf(session),
      maxSessions,
      userMax: user?.max,
      policy: user?.policy,
      metrics: this.#settings.metrics,
    };
    const reply = await this.#write("create", [JSON.stringify(given)], call);
    if (reply.status === "created") {
      this.#news.changed();
      return { status: "created", record: recordOf(reply.record) };
    }
    if (reply.status === "exists") {
      throw new SessionError(
        "STORE_UNAVAILABLE",
        "A new session's id exists already: the source of randomness is broken.",
      );
    }
    return { status: "refused", limit: reply.limit === "user" ? "user" : "sessions" };
  }

  async find(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    const { endedRetention } = this.#settings;
    const row = await this.#database.ask("find", [idText(id), endedRetention], call);
    return row === null ? undefined : recordOf(row);
  }

  async commit(id: string, commit: Commit, call: StoreCall): Promise<CommitResult> {
    const text = commitText(id, commit, this.#settings.metrics);
    const reply = await this.#write("commit", [text], call);
    switch (reply.status) {
      case "applied":
      case "conflict":
        if (reply.status === "applied" && commit.change !== undefined) this.#news.changed();
        return { status: reply.status, record: recordOf(reply.record) };
      case "superseded":
        return { status: "superseded" };
      case "unreadable":
        throw unreadable(id, "a field");
      case "refused":
        if (reply.limit === "user") return { status: "refused", limit: "user" };
        if (reply.limit === "metadata")
          return { status: "refused", limit: "metadata", bytes: reply.bytes ?? 0 };
        return { status: "refused", limit: "number", key: decodeText(reply.key ?? "") ?? "" };
      default:
        // It may have been due.
        this.#news.changed();
        return { status: "gone" };
    }
  }

  async track(batch: TrackBatch, call: StoreCall): Promise<void> {
    const { activityLimit, metrics } = this.#settings;
    await this.#write("track", [batchText(batch, activityLimit, metrics)], call);
  }

  async end(
    id: string,
    reason: EndReason,
    options: EndOptions,
    call: StoreCall,
  ): Promise<EndResult> {
    const { metrics } = this.#settings;
    const params = [idText(id), reason, options.epoch ?? null, metrics];
    const { status } = await this.#write("end", params, call);
    if (status === "superseded") return { status };
    this.#news.changed();
    return status === "ended" ? { status, durable: true } : { status: "gone" };
  }

  async endIfDue(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    const params = [idText(id), this.#settings.metrics];
    const { status, record } = await this.#write("end_if_due", params, call);
    if (status === "live") return recordOf(record);
    this.#news.changed();
    return undefined;
  }

  async endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
    call: StoreCall,
  ): Promise<EndUserResult> {
    const except = options.except === undefined ? null : idText(options.except);
    const params = [encodeText(userId), reason, except, this.#settings.metrics];
    const { ids = [] } = await this.#write("end_user", params, call);
    this.#news.changed();
    return { ended: ids, durable: true };
  }

  async list(query: StoreQuery, call: StoreCall): Promise<StorePage> {
    return listPage(this.#database, query, this.#settings.endedRetention, call);
  }

  async activity(
    id: string,
    query: ActivityQuery,
    call: StoreCall,
  ): Promise<ActivityPage | undefined> {
    const before = query.cursor === undefined ? null : parseEntry(id, query.cursor);
    const { limit, offset } = query;
    const { activityRetention = null, endedRetention } = this.#settings;
    const params = [idText(id), limit + 1, offset, before, activityRetention, endedRetention];
    const answer = await this.#database.ask("timeline", params, call);
    if (answer === null) return undefined;
    const { total, entries } = answer as { total: number; entries: [number, string][] };
    const last = entries.length > limit ? entries[limit - 1] : undefined;
    return {
      entries: entries.slice(0, limit).map(([, json]) => JSON.parse(json) as ActivityEntry),
      nextCursor: last === undefined ? undefined : formatEntry(id, last[0]),
      total,
    };
  }

  async metrics(call: StoreCall): Promise<StoreMetrics> {
    return metricsOf((await this.#database.ask("metrics", [], call)) as Counted);
  }

  async import(
    sessions: readonly ImportedSession[],
    call: StoreCall,
  ): Promise<readonly ImportStatus[]> {
    const { activityLimit, metrics } = this.#settings;
    const text = importText(sessions, activityLimit);
    const { ids = [], gone = [] } = await this.#write("import", [text, metrics], call);
    return importStatuses(sessions, ids, gone);
  }

  async sweep(budget: { readonly milliseconds: number }, call: StoreCall): Promise<SweepResult> {
    const { endedRetention, maxEnded, metrics } = this.#settings;
    const most = maxEnded === undefined || !Number.isFinite(maxEnded) ? null : maxEnded;
    const stopAt = performance.now() + budget.milliseconds;
    let ended = 0;
    for (;;) {
      const reply = await this.#write("sweep", [SLICE, endedRetention, most, metrics], call);
      ended += reply.ended ?? 0;
      if (reply.status !== "more") break;
      if (performance.now() >= stopAt) return { ended, more: true };
    }
    await this.#write("tidy", [], call);
    if (ended > 0) this.#news.changed();
    return { ended, more: false };
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#database.check();
    return this.#news.subscribe(listener);
  }

  close(): void {
    this.#database.isClosed = true;
    this.#news.close();
  }

  /** Asks for a change. What it does is heard by those who subscribed before. */
  async #write(
    name: string,
    params: readonly (string | number | boolean | null)[],
    call: StoreCall,
  ): Promise<Reply> {
    this.#database.check();
    const ready = this.#news.ready();
    if (ready !== undefined) await ready;
    return this.#database.change(name, params, call);
  }
}
