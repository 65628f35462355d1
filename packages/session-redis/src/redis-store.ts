import {
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
import { readEntry } from "./activity-entry.ts";
import { commitArguments, createArguments, refusal } from "./commit-arguments.ts";
import { connectionOf } from "./connect.ts";
import type { RedisConnection } from "./connection.ts";
import { formatActivityCursor, parseActivityCursor } from "./cursor.ts";
import { isWrongType, storeError } from "./driver-errors.ts";
import { Durability } from "./durability.ts";
import { EventChannel } from "./event-channel.ts";
import { importSession } from "./import-session.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { listSessions } from "./list-sessions.ts";
import { trackArguments } from "./observations.ts";
import { type RedisStoreOptions, storeOptions } from "./options.ts";
import { readRecord, recordIn, unreadable, whyUnreadable } from "./record-fields.ts";
import { textsOf } from "./reply.ts";
import { ScriptRunner } from "./script-runner.ts";
import { SCRIPTS, type Scripts } from "./scripts.ts";
import { SessionEnds } from "./session-ends.ts";
import { sumMetrics } from "./shard-metrics.ts";
import { ShardSweep } from "./shard-sweep.ts";
import { Shards } from "./shards.ts";
import { type Spread, spreadOver } from "./spread.ts";
import { encodeText } from "./text-code.ts";

const CAPABILITIES: StoreCapabilities = Object.freeze({
  name: "redis",
  durable: true,
  shared: true,
  atomic: true,
  userIndex: true,
  immediate: false,
  sweepInterval: undefined,
});

/** Shards of a Cluster, unless the options say otherwise. */
const CLUSTER_SHARDS = 64;

/** The store contract on Redis. See `redisStore`. */
export class RedisStore implements SessionStore {
  readonly capabilities: StoreCapabilities = CAPABILITIES;
  readonly #connection: RedisConnection;
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #events: EventChannel;
  readonly #durability: Durability;
  readonly #ends: SessionEnds;
  readonly #sweep: ShardSweep;
  /** Where sessions are spread over several shards. */
  readonly #spread: Spread | undefined;
  #activityLimit = 1000;
  #activityRetention: number | undefined;
  #isClosed = false;

  constructor(given: RedisStoreOptions, scripts: Scripts = SCRIPTS) {
    const options = storeOptions(given);
    this.#connection = connectionOf(options.client);
    const count = options.shards ?? (this.#connection.isCluster ? CLUSTER_SHARDS : 1);
    this.#shards = new Shards(this.#connection, options.prefix, count);
    this.#runner = new ScriptRunner(this.#connection, scripts, options, count === 1);
    this.#events = new EventChannel(this.#connection, this.#runner.channel);
    this.#durability = new Durability(this.#connection, this.#shards, this.#runner, options);
    this.#spread =
      count === 1
        ? undefined
        : spreadOver(this.#connection, this.#shards, this.#runner, (id) => this.find(id));
    this.#ends = new SessionEnds(this.#shards, this.#runner, this.#durability, this.#spread);
    this.#sweep = new ShardSweep(this.#shards, this.#runner, this.#spread?.index);
  }

  get clockOffset(): number | undefined {
    return this.#runner.clock.offset;
  }

  attach(settings: StoreSettings): void {
    this.#checkOpen();
    this.#runner.settings = settings;
    this.#runner.clock.local = settings.now;
    this.#activityLimit = settings.activityLimit;
    this.#activityRetention = settings.activityRetention;
  }

  async create(session: NewSession, limits: CreateLimits, call: StoreCall): Promise<CreateResult> {
    await this.#begin();
    const base = this.#shards.base(this.#shards.ofSession(session.id));
    const { status, values } = await (this.#spread === undefined
      ? this.#runner.run("create", base, createArguments(session, limits), { call })
      : this.#spread.writes.create(session, limits, call));
    if (status === "refused") {
      return { status, limit: values[0] === "user" ? "user" : "sessions" };
    }
    this.#spread?.peak.created();
    if (status === "created") return { status, record: recordIn(session.id, values[0]) };
    throw new SessionError(
      "STORE_UNAVAILABLE",
      "A new session's id exists already: the source of randomness is broken.",
    );
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    await this.#begin();
    const key = this.#shards.recordKey(id);
    let fields: unknown;
    try {
      fields = await this.#connection.send(key, ["HGETALL", key]);
    } catch (error) {
      throw isWrongType(error) ? unreadable(id, error) : storeError(error);
    }
    const record = readRecord(id, textsOf(fields));
    return record === undefined || this.#isForgotten(record) ? undefined : record;
  }

  async commit(id: string, commit: Commit, call: StoreCall): Promise<CommitResult> {
    await this.#begin();
    const shard = this.#shards.ofSession(id);
    const { change } = commit;
    const { status, values } = await (this.#spread !== undefined && change?.kind === "sign-in"
      ? this.#spread.writes.signIn(id, commit, change, call)
      : this.#runner.run("commit", this.#shards.base(shard), commitArguments(id, commit), {
          call,
        }));
    if (status === "gone") await this.#spread?.index.follow([shard]);
    switch (status) {
      case "applied":
      case "conflict":
        return { status, record: recordIn(id, values[0]) };
      case "superseded":
      case "gone":
        return { status };
      case "refused":
        return refusal(values, commit);
      default:
        throw whyUnreadable(id, values[0]);
    }
  }

  async track(batch: TrackBatch, call: StoreCall): Promise<void> {
    await this.#begin();
    const parts = this.#shards.group(batch.items, (item) => item.id);
    const head = [encodeText(batch.instance), batch.sequence, this.#activityLimit];
    const replies = await Promise.all(
      [...parts].map(([shard, items]) =>
        this.#runner.run("track", this.#shards.base(shard), [...head, ...trackArguments(items)], {
          call,
        }),
      ),
    );
    const seen = replies.flatMap(({ values }) => textsOf(values[0]));
    if (seen.length > 0) await this.#spread?.index.seen(seen);
  }

  async end(
    id: string,
    reason: EndReason,
    options: EndOptions,
    call: StoreCall,
  ): Promise<EndResult> {
    await this.#begin();
    return this.#ends.one(id, reason, options, call);
  }

  async endIfDue(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    await this.#begin();
    return this.#ends.ifDue(id, call);
  }

  async endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
    call: StoreCall,
  ): Promise<EndUserResult> {
    await this.#begin();
    return this.#ends.ofUser(userId, reason, options, call);
  }

  async list(query: StoreQuery, call: StoreCall): Promise<StorePage> {
    await this.#begin();
    return this.#spread === undefined
      ? listSessions(query, this.#shards, this.#runner, call)
      : this.#spread.lists.list(query, call);
  }

  async activity(
    id: string,
    query: ActivityQuery,
    call: StoreCall,
  ): Promise<ActivityPage | undefined> {
    const { limit, offset, cursor } = query;
    const before = cursor === undefined ? "-" : parseActivityCursor(id, cursor);
    await this.#begin();
    const retention = this.#activityRetention;
    const begin = retention === undefined ? "-" : this.#runner.now() - retention;
    const base = this.#shards.base(this.#shards.ofSession(id));
    const args = [encodeText(id), begin, before, offset, limit];
    const { status, values } = await this.#runner.run("activity", base, args, { call });
    if (status === "unreadable") throw whyUnreadable(id, values[0]);
    if (status !== "page") return undefined;
    const [rows, total, next] = values;
    return {
      entries: textsOf(rows).flatMap((text) => readEntry(text) ?? []),
      nextCursor: next === "-" ? undefined : formatActivityCursor(id, Number(next)),
      total: Number(total),
    };
  }

  async metrics(call: StoreCall): Promise<StoreMetrics> {
    await this.#begin();
    const metrics = sumMetrics(
      await Promise.all(
        this.#shards.all.map((shard) =>
          this.#runner.run("metrics", this.#shards.base(shard), [], { call }),
        ),
      ),
    );
    if (this.#spread === undefined) return metrics;
    return { ...metrics, ...(await this.#spread.peak.raise(metrics.activeSessions)) };
  }

  async import(
    sessions: readonly ImportedSession[],
    call: StoreCall,
  ): Promise<readonly ImportStatus[]> {
    await this.#begin();
    call.signal.throwIfAborted();
    const queue = new KeyedQueue();
    return Promise.all(
      sessions.map((session) =>
        queue.run(session.record.state.id, () =>
          importSession(
            session,
            this.#activityLimit,
            this.#shards,
            this.#runner,
            this.#spread?.index,
            call,
          ),
        ),
      ),
    );
  }

  async sweep(budget: { readonly milliseconds: number }, call: StoreCall): Promise<SweepResult> {
    await this.#begin();
    return this.#sweep.run(performance.now() + budget.milliseconds, call);
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#checkOpen();
    return this.#events.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#spread?.peak.close();
    await Promise.all([this.#events.close(), this.#durability.close()]);
  }

  #begin(): Promise<void> | undefined {
    this.#checkOpen();
    return this.#shards.check();
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new SessionError("STORE_UNAVAILABLE", "The session store has been closed.");
  }

  #isForgotten({ endedAt }: SessionRecord): boolean {
    if (endedAt === undefined) return false;
    return this.#runner.now() - endedAt >= this.#runner.settings.endedRetention;
  }
}
