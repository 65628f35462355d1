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
  type ImportedSession,
  type ImportStatus,
  lifecycle,
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
  type TrackItem,
} from "@kyb/session-core/store";
import { Callbacks } from "./callbacks.ts";
import { commitChange, createSession, importSession, noUserIndex, observe } from "./changes.ts";
import type { ExpressSessionStore } from "./express-session-store.ts";
import { ExpressSessions } from "./express-sessions.ts";
import { placeBefore, sessionPage, timelinePage } from "./pages.ts";
import { Turns } from "./turns.ts";

/** The turn of those who count sessions before they make one; no session has this id. */
const ROOM = "";

/**
 * Lets a store of express-session (connect-redis, connect-pg-simple, memorystore and their like) keep the sessions. For
 * moving, and for applications that are to keep the store that they have; what it cannot do it says by `capabilities`:
 *
 * - Not atomic: such a store can only read and overwrite. The calls of this process wait for each other, session by
 *   session; two processes can overwrite each other's changes, and a session that is ended in one can be written back by
 *   another. The race contract holds within one process alone.
 * - No user index: `revokeUser`, `devices`, lists by user and `maxSessionsPerUser` answer `UNSUPPORTED`. Other lists read
 *   every session, and only where the store has a method `all`.
 * - Metrics, events, sweeping and `maxSessions` know the sessions that this process has come across, and no others.
 * - At most 100 entries of a timeline are kept: they are written anew with every flush.
 *
 * Sessions that express-session itself wrote are neither read nor touched. The store stays the application's: closing the
 * manager does not close it.
 */
export function fromExpressStore(store: ExpressSessionStore): SessionStore {
  for (const method of ["get", "set", "destroy"] as const) {
    if (typeof store?.[method] !== "function") {
      throw new SessionError(
        "INVALID_CONFIG",
        `fromExpressStore needs a store of express-session: it has no method ${method}.`,
      );
    }
  }
  return new ExpressStore(store);
}

class ExpressStore implements SessionStore {
  readonly capabilities: StoreCapabilities;
  readonly #sessions: ExpressSessions;
  readonly #turns = new Turns();
  readonly #counted = new Map<string, number>();
  #isClosed = false;

  constructor(store: ExpressSessionStore) {
    const name = store.constructor.name.replace(/\W/g, "") || "Store";
    // The stores of that name keep everything in the process.
    const isMemory = name === "MemoryStore";
    this.capabilities = Object.freeze({
      name: `express-${name}`,
      durable: !isMemory,
      shared: !isMemory,
      atomic: false,
      userIndex: false,
      immediate: false,
      sweepInterval: undefined,
    });
    this.#sessions = new ExpressSessions(new Callbacks(store));
  }

  attach(settings: StoreSettings): void {
    this.#check();
    this.#sessions.settings = settings;
  }

  async create(session: NewSession, limits: CreateLimits, call: StoreCall): Promise<CreateResult> {
    this.#check();
    if (session.userId !== undefined && limits.user !== undefined) throw noUserIndex();
    const { maxSessions } = limits;
    const make = () => this.#inTurn(session.id, () => createSession(this.#sessions, session, call));
    if (maxSessions === undefined) return make();
    return this.#turns.take(ROOM, async () => {
      const hasRoom = await this.#makeRoom(maxSessions, call);
      return hasRoom ? make() : { status: "refused", limit: "sessions" };
    });
  }

  async find(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    return this.#inTurn(id, async () => (await this.#sessions.load(id, call))?.record);
  }

  async commit(id: string, commit: Commit, call: StoreCall): Promise<CommitResult> {
    return this.#inTurn(id, () => commitChange(this.#sessions, id, commit, call));
  }

  async track(batch: TrackBatch, call: StoreCall): Promise<void> {
    this.#check();
    const { instance, sequence, items } = batch;
    const isNew = sequence === 0 || sequence > (this.#counted.get(instance) ?? 0);
    if (sequence !== 0 && isNew) this.#counted.set(instance, sequence);
    await Promise.all(
      [...bySession(items)].map(([id, own]) =>
        this.#inTurn(id, () => observe(this.#sessions, id, { ...batch, items: own }, isNew, call)),
      ),
    );
  }

  async end(
    id: string,
    reason: EndReason,
    { epoch }: EndOptions,
    call: StoreCall,
  ): Promise<EndResult> {
    return this.#inTurn(id, async () => {
      const held = await this.#sessions.live(id, call);
      if (held === undefined) return { status: "gone" };
      if (epoch !== undefined && epoch !== held.record.state.epoch) return { status: "superseded" };
      await this.#sessions.end(held, reason, call);
      // What stands behind such a store, and what of it could take over, nobody can tell.
      return { status: "ended", durable: false };
    });
  }

  async endIfDue(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    return this.#inTurn(id, async () => (await this.#sessions.live(id, call))?.record);
  }

  async endUser(): Promise<never> {
    this.#check();
    throw noUserIndex();
  }

  async list(query: StoreQuery, call: StoreCall): Promise<StorePage> {
    this.#check();
    if (query.userId !== undefined) throw noUserIndex();
    const after = placeBefore(query);
    const { now } = this.#sessions;
    const isDue = (record: SessionRecord): boolean =>
      record.endedAt === undefined && lifecycle(record, now) !== "live";
    const due = (await this.#sessions.all(call)).filter(isDue);
    for (const { state } of due) await this.endIfDue(state.id, call);
    return sessionPage(await this.#sessions.all(call), query, after);
  }

  async activity(
    id: string,
    query: ActivityQuery,
    call: StoreCall,
  ): Promise<ActivityPage | undefined> {
    return this.#inTurn(id, async () => {
      const { settings, now } = this.#sessions;
      const held = await this.#sessions.load(id, call);
      if (held === undefined) return undefined;
      const { activityRetention = Number.POSITIVE_INFINITY } = settings;
      return timelinePage(held, query, now - activityRetention);
    });
  }

  async metrics(): Promise<StoreMetrics> {
    this.#check();
    const { counters, known, now } = this.#sessions;
    return counters.snapshot(known.gauges(), now);
  }

  async import(
    imported: readonly ImportedSession[],
    call: StoreCall,
  ): Promise<readonly ImportStatus[]> {
    this.#check();
    return Promise.all(
      imported.map((each) =>
        this.#inTurn(each.record.state.id, () => importSession(this.#sessions, each, call)),
      ),
    );
  }

  async sweep(
    { milliseconds }: { readonly milliseconds: number },
    call: StoreCall,
  ): Promise<SweepResult> {
    this.#check();
    const { known, now } = this.#sessions;
    const stopAt = performance.now() + milliseconds;
    let ended = 0;
    for (const id of known.due(now)) {
      if (performance.now() >= stopAt) return { ended, more: true };
      const live = await this.endIfDue(id, call);
      if (live === undefined) ended += 1;
    }
    await this.#sessions.forgetEnded(call);
    return { ended, more: false };
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#check();
    return this.#sessions.subscribe(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#sessions.deafen();
  }

  /** Ends what has to go so that one more session fits; false: nobody can, and nobody had to. */
  async #makeRoom(max: number, call: StoreCall): Promise<boolean> {
    const { known, now } = this.#sessions;
    if (known.size < max) return true;
    for (const id of known.due(now)) await this.endIfDue(id, call);
    const missing = known.size + 1 - max;
    const victims = known.victims();
    if (victims.length < missing) return false;
    for (const id of victims.slice(0, missing)) await this.end(id, "limit", {}, call);
    return true;
  }

  async #inTurn<Result>(id: string, run: () => Promise<Result>): Promise<Result> {
    this.#check();
    return this.#turns.take(id, run);
  }

  #check(): void {
    if (!this.#isClosed) return;
    throw new SessionError("STORE_UNAVAILABLE", "The session store has been closed.");
  }
}

function bySession(items: readonly TrackItem[]): Map<string, TrackItem[]> {
  const groups = new Map<string, TrackItem[]>();
  for (const item of items) {
    const group = groups.get(item.id);
    if (group === undefined) groups.set(item.id, [item]);
    else group.push(item);
  }
  return groups;
}
