import type { ActivityEntry, RequestSample } from "../../src/activity/entry.ts";
import type { Commit, CommitResult } from "../../src/commit.ts";
import { isProvisional, lifecycle } from "../../src/lifecycle.ts";
import { DURATION_BUCKETS, type StoreMetrics } from "../../src/metrics/snapshot.ts";
import type { CreateLimits, CreateResult, NewSession, UserLimit } from "../../src/new-session.ts";
import type { EndReason, SessionRecord, SessionState } from "../../src/record.ts";
import type { EndOptions, ImportedSession, ImportStatus, StoreEvent } from "../../src/store.ts";
import type { StoreQuery } from "../../src/store-query.ts";
import type { TrackItem } from "../../src/track-batch.ts";
import { applyCommit, initialState } from "../../src/transition.ts";

const HOUR = 3_600_000;

interface Naive {
  state: SessionState;
  lastAccessTime: number;
  lastActivityTime: number;
  requestCount: number;
  confirmed: boolean;
  endedAt: number | undefined;
  endReason: EndReason | undefined;
  opIds: string[];
  log: ActivityEntry[];
}

/**
 * What the contract says, written down without a thought of speed: one list of sessions that is searched and sorted
 * for every question, and a history that is counted for every number. Sweeps before anything else.
 */
export class NaiveStore {
  now = 0;
  readonly events: StoreEvent[] = [];
  #sessions: Naive[] = [];
  readonly #created: number[] = [];
  readonly #requests: { at: number; sample: RequestSample; userId: string | undefined }[] = [];
  readonly #ended: EndReason[] = [];
  #imported = 0;
  #peak = { peakSessions: 0, peakSessionsTime: 0 };
  readonly #activityLimit: number;
  readonly #activityRetention: number;
  readonly #endedRetention: number;

  constructor(settings: {
    activityLimit: number;
    activityRetention: number | undefined;
    endedRetention: number;
  }) {
    this.#activityLimit = settings.activityLimit;
    this.#activityRetention = settings.activityRetention ?? Number.POSITIVE_INFINITY;
    this.#endedRetention = settings.endedRetention;
  }

  sweep(): number {
    this.#sessions = this.#sessions.filter(
      ({ endedAt }) => endedAt === undefined || this.now - endedAt < this.#endedRetention,
    );
    let ended = 0;
    for (const session of this.#live()) {
      const stage = lifecycle(session, this.now);
      if (stage === "live" || stage === "ended") continue;
      this.#end(session, stage);
      ended++;
    }
    return ended;
  }

  create(given: NewSession, limits: CreateLimits): CreateResult {
    const { userId } = given;
    const victims = userId === undefined ? [] : this.#overLimit(userId, limits.user, undefined);
    if (victims === undefined) return { status: "refused", limit: "user" };
    const max = limits.maxSessions ?? Number.POSITIVE_INFINITY;
    const missing = this.#live().length - victims.length + 1 - max;
    const anonymous = this.#live().filter(({ state }) => state.userId === undefined);
    if (missing > 0 && anonymous.length < missing) return { status: "refused", limit: "sessions" };
    const inTurn = [
      ...sorted(anonymous.filter(isProvisional), ({ state }) => state.createdAt),
      ...sorted(
        anonymous.filter((session) => !isProvisional(session)),
        (session) => session.lastAccessTime,
      ),
    ];
    for (const victim of [...inTurn.slice(0, Math.max(0, missing)), ...victims])
      this.#end(victim, "limit");
    const session: Naive = {
      state: initialState(given, this.now),
      lastAccessTime: this.now,
      lastActivityTime: this.now,
      requestCount: 0,
      confirmed: false,
      endedAt: undefined,
      endReason: undefined,
      opIds: [],
      log: [],
    };
    this.#sessions.push(session);
    this.#created.push(this.now);
    this.#notePeak();
    this.#tell("created", session);
    return { status: "created", record: recordOf(session) };
  }

  import({ record, entries, over }: ImportedSession): ImportStatus {
    if (lifecycle(record, this.now) !== "live") return "gone";
    const existing = this.#session(record.state.id);
    if (existing !== undefined) {
      const { version, epoch } = existing.state;
      const isBehind = version === over && epoch <= record.state.epoch;
      if (existing.endedAt !== undefined || !isBehind) return "exists";
    }
    const log = entries.slice(0, this.#activityLimit).reverse();
    this.#sessions = this.#sessions.filter((session) => session !== existing);
    this.#sessions.push({ ...record, opIds: [], log });
    if (existing !== undefined) return "imported";
    this.#imported++;
    this.#notePeak();
    return "imported";
  }

  find(id: string): SessionRecord | undefined {
    const session = this.#session(id);
    return session === undefined ? undefined : recordOf(session);
  }

  commit(id: string, commit: Commit): CommitResult {
    const session = this.#session(id);
    if (session === undefined || session.endedAt !== undefined) return { status: "gone" };
    if (session.opIds.slice(-4).includes(commit.opId))
      return { status: "applied", record: recordOf(session) };
    const next = applyCommit(session.state, commit, this.now);
    if (next.status === "conflict") return { status: "conflict", record: recordOf(session) };
    if (next.status !== "applied") return next;
    const { change } = commit;
    if (change?.kind === "sign-in") {
      const victims = this.#overLimit(change.userId, change.limit, session);
      if (victims === undefined) return { status: "refused", limit: "user" };
      for (const victim of victims) this.#end(victim, "limit");
      session.lastActivityTime = Math.max(session.lastActivityTime, this.now);
      session.lastAccessTime = Math.max(session.lastAccessTime, this.now);
    }
    session.state = next.state;
    session.opIds.push(commit.opId);
    if (change?.kind === "sign-in") this.#tell("signed-in", session);
    else if (change?.kind === "regenerate" || change?.kind === "promote")
      this.#tell("regenerated", session);
    return { status: "applied", record: recordOf(session) };
  }

  track(items: readonly TrackItem[]): void {
    for (const item of items) {
      const session = this.#session(item.id);
      if (item.request !== undefined) {
        this.#requests.push({ at: this.now, sample: item.request, userId: session?.state.userId });
      }
      if (session === undefined || session.endedAt !== undefined) continue;
      const seenAt = Math.min(item.seenAt, session.state.absoluteEnd);
      if (item.access) session.lastAccessTime = Math.max(session.lastAccessTime, seenAt);
      if (item.active) session.lastActivityTime = Math.max(session.lastActivityTime, seenAt);
      if (item.confirm) session.confirmed = true;
      if (item.request !== undefined) session.requestCount++;
      if (item.entry !== undefined)
        session.log = [...session.log, item.entry].slice(-this.#activityLimit);
    }
  }

  end(id: string, reason: EndReason, options: EndOptions): "ended" | "gone" | "superseded" {
    const session = this.#session(id);
    if (session === undefined || session.endedAt !== undefined) return "gone";
    if (options.epoch !== undefined && options.epoch !== session.state.epoch) return "superseded";
    this.#end(session, reason);
    return "ended";
  }

  endUser(userId: string, reason: EndReason, except: string | undefined): string[] {
    const targets = this.#live().filter(
      ({ state }) => state.userId === userId && state.id !== except,
    );
    for (const session of targets) this.#end(session, reason);
    return targets.map(({ state }) => state.id);
  }

  /** All that match, in order. */
  list(query: StoreQuery): SessionRecord[] {
    const matching = this.#sessions.filter(({ state, endedAt }) => {
      if (query.status !== "all" && (endedAt === undefined) !== (query.status === "active"))
        return false;
      if (query.userId !== undefined && state.userId !== query.userId) return false;
      const { search } = query;
      if (search === undefined || state.id === search || state.ipAddress === search) return true;
      return state.userId?.startsWith(search) === true;
    });
    const rows = sorted(matching, (session) =>
      query.sort === "createdAt" ? session.state.createdAt : session.lastAccessTime,
    ).map(recordOf);
    return query.direction === "descending" ? rows.reverse() : rows;
  }

  activity(id: string): ActivityEntry[] | undefined {
    return this.#session(id)
      ?.log.filter(({ timestamp }) => this.now - timestamp < this.#activityRetention)
      .reverse();
  }

  ids(): string[] {
    return this.#sessions.map(({ state }) => state.id);
  }

  metrics(): StoreMetrics {
    const live = this.#live();
    const byReason = (reason: EndReason): number =>
      this.#ended.filter((one) => one === reason).length;
    const hour = Math.floor(this.now / HOUR);
    const second = Math.floor(this.now / 1000);
    const byHour = new Array<number>(24).fill(0);
    for (const at of this.#created) {
      const started = Math.floor(at / HOUR);
      if (started > hour - 24) byHour[started % 24] = (byHour[started % 24] ?? 0) + 1;
    }
    const byClass = [0, 0, 0, 0, 0, 0];
    const durations = new Array<number>(DURATION_BUCKETS.length + 1).fill(0);
    const endpoints = new Map<string, number>();
    for (const { sample } of this.#requests) {
      const hundreds = Math.floor(sample.statusCode / 100);
      const index = hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
      byClass[index] = (byClass[index] ?? 0) + 1;
      const bucket = DURATION_BUCKETS.findIndex((bound) => sample.duration <= bound);
      const place = bucket === -1 ? DURATION_BUCKETS.length : bucket;
      durations[place] = (durations[place] ?? 0) + 1;
      endpoints.set(sample.endpoint, (endpoints.get(sample.endpoint) ?? 0) + 1);
    }
    const within = (seconds: number) =>
      this.#requests.filter(({ at }) => Math.floor(at / 1000) > second - seconds);
    const users = within(300).flatMap(({ userId }) => (userId === undefined ? [] : [userId]));
    return {
      totalSessions: this.#created.length + this.#imported,
      activeSessions: live.length,
      signedInSessions: live.filter(({ state }) => state.userId !== undefined).length,
      anonymousSessions: live.filter(({ state }) => state.userId === undefined).length,
      provisionalSessions: live.filter(isProvisional).length,
      endedByReason: {
        "signed-out": byReason("signed-out"),
        revoked: byReason("revoked"),
        idle: byReason("idle"),
        absolute: byReason("absolute"),
        provisional: byReason("provisional"),
        limit: byReason("limit"),
        reuse: byReason("reuse"),
        binding: byReason("binding"),
        shutdown: byReason("shutdown"),
        erased: byReason("erased"),
      },
      totalLength: live.reduce(
        (sum, { state, lastAccessTime }) => sum + lastAccessTime - state.createdAt,
        0,
      ),
      totalRequests: this.#requests.length,
      ...this.#peak,
      sessionsByHour: byHour,
      requestsLastMinute: within(60).length,
      requestsByStatusClass: byClass,
      endpoints: [...endpoints].map(([endpoint, requests]) => ({ endpoint, requests })),
      durations,
      activeUsers: new Set(users).size,
      activityDropped: 0,
      lostSessions: 0,
    };
  }

  #notePeak(): void {
    const active = this.#live().length;
    if (active <= this.#peak.peakSessions) return;
    this.#peak = { peakSessions: active, peakSessionsTime: this.now };
  }

  #session(id: string): Naive | undefined {
    return this.#sessions.find(({ state }) => state.id === id);
  }

  #live(): Naive[] {
    return this.#sessions.filter(({ endedAt }) => endedAt === undefined);
  }

  #overLimit(
    userId: string,
    limit: UserLimit | undefined,
    self: Naive | undefined,
  ): Naive[] | undefined {
    const others = this.#live().filter(
      (session) => session !== self && session.state.userId === userId,
    );
    if (limit === undefined || others.length < limit.max) return [];
    if (limit.policy === "reject") return undefined;
    const time = ({ state, lastAccessTime }: Naive): number =>
      limit.policy === "evict-oldest" ? state.createdAt : lastAccessTime;
    return sorted(others, time).slice(0, others.length - limit.max + 1);
  }

  #end(session: Naive, reason: EndReason): void {
    session.endedAt = this.now;
    session.endReason = reason;
    this.#ended.push(reason);
    this.#tell("ended", session);
  }

  #tell(type: StoreEvent["type"], { state, endReason }: Naive): void {
    const reason = type === "ended" ? endReason : undefined;
    this.events.push({ type, sessionId: state.id, userId: state.userId, at: this.now, reason });
  }
}

function recordOf(session: Naive): SessionRecord {
  const { opIds: _opIds, log: _log, ...record } = session;
  return record;
}

function sorted(sessions: readonly Naive[], time: (session: Naive) => number): Naive[] {
  return [...sessions].sort((a, b) => time(a) - time(b) || (a.state.id < b.state.id ? -1 : 1));
}
