import type {
  ActivityPage,
  ActivityQuery,
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  EndReason,
  EndResult,
  ImportedSession,
  ImportStatus,
  NewSession,
  SessionRecord,
  SessionStore,
  StoreCapabilities,
  StoreEvent,
  StoreMetrics,
  StorePage,
  StoreQuery,
  StoreSettings,
  TrackBatch,
  TrackItem,
  UserLimit,
} from "@kyb/session-core/store";
import {
  applyCommit,
  deadline,
  initialState,
  lifecycle,
  SessionError,
} from "@kyb/session-core/store";
import type { Counted, Held } from "./reference-held.ts";
import { leavingFor, roomFor } from "./reference-limits.ts";
import { metricsOf } from "./reference-metrics.ts";
import { pageOf, timelineOf } from "./reference-pages.ts";

/**
 * The contract as plainly as it can be said, for an asynchronous store: a `Map`, the core's pure rules, and a wait
 * before each atomic step. It scans for everything, so it is no store to use; it is the good store that the broken
 * twins are made from, and it shows that the suite accepts a store that answers later.
 */
export class ReferenceStore implements SessionStore {
  readonly capabilities: StoreCapabilities = {
    name: "reference",
    durable: false,
    shared: false,
    atomic: true,
    userIndex: true,
    immediate: false,
    sweepInterval: undefined,
  };
  readonly held: Map<string, Held> = new Map();
  readonly counted: Counted = {
    created: [],
    imported: 0,
    ended: [],
    requests: [],
    peak: 0,
    peakTime: 0,
  };
  readonly listeners: Set<{ hear: (event: StoreEvent) => void }> = new Set();
  readonly batches: Set<string> = new Set();
  settings: StoreSettings | undefined;
  position = 0;

  attach(settings: StoreSettings): void {
    this.settings = settings;
  }

  isRepeated({ state, endedAt }: SessionRecord, session: NewSession): boolean {
    const isUntouched = endedAt === undefined && state.version === 0;
    return isUntouched && state.secretHash === session.secretHash;
  }

  async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
    await this.gap();
    const existing = this.held.get(session.id)?.record;
    if (existing !== undefined && this.isRepeated(existing, session)) {
      return { status: "created", record: existing };
    }
    if (existing !== undefined) {
      throw new SessionError("STORE_UNAVAILABLE", "The id of a new session exists already.");
    }
    const leaving = this.leavingFor(session.userId, limits.user, session.id);
    if (leaving === undefined) return { status: "refused", limit: "user" };
    const room = this.room(limits.maxSessions, leaving.length);
    if (room === undefined) return { status: "refused", limit: "sessions" };
    for (const held of [...leaving, ...room]) this.finish(held, "limit");

    const now = this.now();
    const record: SessionRecord = {
      state: initialState(session, now),
      lastAccessTime: now,
      lastActivityTime: now,
      requestCount: 0,
      confirmed: false,
      endedAt: undefined,
      endReason: undefined,
    };
    this.held.set(session.id, { record, entries: [], opIds: [] });
    this.counted.created.push(now);
    this.notePeak();
    this.tell("created", record);
    return { status: "created", record };
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    await this.gap();
    return this.held.get(id)?.record;
  }

  async commit(id: string, commit: Commit): Promise<CommitResult> {
    await this.gap();
    const held = this.liveOne(id);
    if (held === undefined) return { status: "gone" };
    if (held.opIds.includes(commit.opId)) return { status: "applied", record: held.record };
    const next = applyCommit(held.record.state, commit, this.now());
    if (next.status === "conflict") return { status: "conflict", record: held.record };
    if (next.status !== "applied") return next;
    const { change } = commit;
    if (change?.kind === "sign-in") {
      const leaving = this.leavingFor(change.userId, change.limit, id);
      if (leaving === undefined) return { status: "refused", limit: "user" };
      for (const other of leaving) this.finish(other, "limit");
    }
    this.write(held, commit, { ...held.record, state: next.state });
    return { status: "applied", record: held.record };
  }

  async track(batch: TrackBatch): Promise<void> {
    await this.gap();
    const key = `${batch.instance} ${batch.sequence}`;
    if (batch.sequence !== 0 && this.batches.has(key)) return;
    this.batches.add(key);
    for (const item of batch.items) {
      const held = this.liveOne(item.id);
      if (item.request !== undefined) {
        const userId = held?.record.state.userId;
        this.counted.requests.push({ at: this.now(), userId, sample: item.request });
      }
      if (held === undefined) continue;
      held.record = observed(held.record, item);
      if (item.entry === undefined) continue;
      this.position += 1;
      held.entries.push({ position: this.position, entry: item.entry });
      held.entries.splice(0, held.entries.length - (this.settings?.activityLimit ?? 0));
    }
  }

  async end(
    id: string,
    reason: EndReason,
    options: { epoch?: number | undefined },
  ): Promise<EndResult> {
    await this.gap();
    const held = this.liveOne(id);
    if (held === undefined) return { status: "gone" };
    if (options.epoch !== undefined && options.epoch !== held.record.state.epoch) {
      return { status: "superseded" };
    }
    this.finish(held, reason);
    return { status: "ended", durable: true };
  }

  async endIfDue(id: string): Promise<SessionRecord | undefined> {
    await this.gap();
    const held = this.held.get(id);
    if (held === undefined) return undefined;
    this.finishIfDue(held);
    return held.record.endedAt === undefined ? held.record : undefined;
  }

  async endUser(
    userId: string,
    reason: EndReason,
    options: { except?: string | undefined },
  ): Promise<{ ended: string[]; durable: boolean }> {
    await this.gap();
    const mine = this.live().filter(
      ({ record: { state } }) => state.userId === userId && state.id !== options.except,
    );
    for (const held of mine) this.finish(held, reason);
    return { ended: mine.map((held) => held.record.state.id), durable: true };
  }

  async list(query: StoreQuery): Promise<StorePage> {
    await this.gap();
    return pageOf(
      [...this.held.values()].map((held) => held.record),
      query,
    );
  }

  async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
    await this.gap();
    const oldest = this.now() - (this.settings?.activityRetention ?? Number.POSITIVE_INFINITY);
    const shown = this.held.get(id)?.entries.filter(({ entry }) => entry.timestamp >= oldest);
    return shown === undefined ? undefined : timelineOf(shown, query);
  }

  async metrics(): Promise<StoreMetrics> {
    await this.gap();
    return metricsOf(
      this.counted,
      this.live().map((held) => held.record),
      this.now(),
    );
  }

  async import(sessions: readonly ImportedSession[]): Promise<readonly ImportStatus[]> {
    await this.gap();
    return sessions.map((session) => this.take(session));
  }

  async sweep(): Promise<{ ended: number; more: boolean }> {
    await this.gap();
    const due = [...this.held.values()].filter((held) => this.isDue(held.record));
    for (const held of due.slice(0, 10)) this.finishIfDue(held);
    this.forget();
    return { ended: Math.min(due.length, 10), more: due.length > 10 };
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    const entry = { hear: listener };
    this.listeners.add(entry);
    return () => {
      this.listeners.delete(entry);
    };
  }

  async close(): Promise<void> {
    await this.gap();
  }

  /** What a network would do: others may come between the call and its one atomic step. */
  async gap(): Promise<void> {
    await Promise.resolve();
  }

  now(): number {
    return this.settings?.now() ?? 0;
  }

  isDue(record: SessionRecord): boolean {
    return record.endedAt === undefined && this.now() >= deadline(record);
  }

  live(): Held[] {
    return [...this.held.values()].filter(
      ({ record }) => record.endedAt === undefined && !this.isDue(record),
    );
  }

  liveOne(id: string): Held | undefined {
    const held = this.held.get(id);
    if (held === undefined || held.record.endedAt !== undefined) return undefined;
    return this.isDue(held.record) ? undefined : held;
  }

  take({ record, entries, over }: ImportedSession): ImportStatus {
    const { id } = record.state;
    if (lifecycle(record, this.now()) !== "live") return "gone";
    if (this.held.has(id) && !this.isBehind(record, over)) return "exists";
    if (!this.held.has(id)) this.counted.imported += 1;
    const kept = entries.slice(0, this.settings?.activityLimit).reverse();
    this.held.set(record.state.id, {
      record,
      entries: kept.map((entry) => ({ position: ++this.position, entry })),
      opIds: [],
    });
    this.notePeak();
    return "imported";
  }

  isBehind({ state }: SessionRecord, over: number | undefined): boolean {
    const here = this.liveOne(state.id)?.record.state;
    return here !== undefined && here.version === over && here.epoch <= state.epoch;
  }

  notePeak(): void {
    const peak = this.live().length;
    if (peak > this.counted.peak) Object.assign(this.counted, { peak, peakTime: this.now() });
  }

  write(held: Held, commit: Commit, record: SessionRecord): void {
    const signedIn = commit.change?.kind === "sign-in";
    held.record = signedIn ? { ...record, lastActivityTime: this.now() } : record;
    held.opIds = [commit.opId, ...held.opIds].slice(0, 4);
    if (signedIn) this.tell("signed-in", record);
    if (commit.change?.kind === "regenerate" || commit.change?.kind === "promote") {
      this.tell("regenerated", record);
    }
  }

  finish(held: Held, endReason: EndReason): void {
    held.record = { ...held.record, endedAt: this.now(), endReason };
    this.counted.ended.push(endReason);
    this.tell("ended", held.record);
  }

  finishIfDue(held: Held): void {
    const stage = lifecycle(held.record, this.now());
    if (stage !== "live" && stage !== "ended") this.finish(held, stage);
  }

  leavingFor(
    userId: string | undefined,
    limit: UserLimit | undefined,
    newcomer: string,
  ): Held[] | undefined {
    return leavingFor(this.live(), { userId, limit, newcomer });
  }

  room(maxSessions: number | undefined, leaving: number): Held[] | undefined {
    return roomFor(this.live(), maxSessions, leaving);
  }

  /** Lets go of ended sessions that are too old or too many. */
  forget(): void {
    const age = (held: Held): number => this.now() - (held.record.endedAt ?? this.now());
    const ended = [...this.held.values()]
      .filter((held) => held.record.endedAt !== undefined)
      .sort((left, right) => age(left) - age(right));
    ended.forEach((held, index) => {
      const tooMany = index >= (this.settings?.maxEnded ?? 1000);
      if (tooMany || age(held) >= (this.settings?.endedRetention ?? 0)) {
        this.held.delete(held.record.state.id);
      }
    });
  }

  tell(type: StoreEvent["type"], record: SessionRecord): void {
    const { id: sessionId, userId } = record.state;
    const reason = record.endReason;
    for (const { hear } of [...this.listeners]) {
      hear({ type, sessionId, userId, at: this.now(), reason });
    }
  }
}

/** What one observation makes of a live record: times only move forward. */
function observed(record: SessionRecord, item: TrackItem): SessionRecord {
  const later = (time: number, moves: boolean): number =>
    moves ? Math.max(time, item.seenAt) : time;
  return {
    ...record,
    lastAccessTime: later(record.lastAccessTime, item.access),
    lastActivityTime: later(record.lastActivityTime, item.active),
    requestCount: record.requestCount + (item.request === undefined ? 0 : 1),
    confirmed: record.confirmed || item.confirm,
  };
}
