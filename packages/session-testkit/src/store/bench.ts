import { expect } from "vitest";
import type {
  ActivityEntry,
  ActivityPage,
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  EndReason,
  NewSession,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoreEvent,
  StoreMetrics,
  StorePage,
  StoreQuery,
  StoreSettings,
  TrackItem,
} from "./contract.ts";
import {
  commitOf,
  NO_LIMITS,
  newSession,
  queryOf,
  requestItem,
  START,
  settingsOf,
  snapshot,
} from "./fixtures.ts";
import type { StoreHarness, StoreUnderTest } from "./harness.ts";

/**
 * What a case works with: one empty store, a clock that only the case moves, and short forms of the store's methods
 * that fill in what the case does not care about.
 */
export class StoreBench {
  readonly harness: StoreHarness;
  readonly settings: StoreSettings;
  readonly call: StoreCall = { signal: new AbortController().signal };
  /** What was heard since the store was opened. */
  readonly events: StoreEvent[] = [];
  readonly #opened: StoreUnderTest;
  #now = START;
  #operations = 0;
  #sequence = 0;

  private constructor(
    harness: StoreHarness,
    opened: StoreUnderTest,
    settings: Partial<StoreSettings>,
  ) {
    this.harness = harness;
    this.#opened = opened;
    this.settings = settingsOf(() => this.#now, settings);
  }

  static async open(
    harness: StoreHarness,
    settings: Partial<StoreSettings> = {},
  ): Promise<StoreBench> {
    const opened = await harness.open();
    const bench = new StoreBench(harness, opened, settings);
    await opened.setTime?.(bench.now);
    opened.store.attach(bench.settings);
    opened.store.subscribe((event) => bench.events.push(event));
    return bench;
  }

  async close(): Promise<void> {
    await this.#opened.store.close();
    await this.#opened.close?.();
  }

  get store(): SessionStore {
    return this.#opened.store;
  }

  /** The store's clock, epoch milliseconds. */
  get now(): number {
    return this.#now;
  }

  async advance(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    await this.#opened.setTime?.(this.#now);
  }

  /** Waits until events and counters have arrived. */
  async settle(): Promise<void> {
    await this.#opened.settle?.();
  }

  /** Events of one kind, after they have arrived. */
  async eventsOf(type: StoreEvent["type"]): Promise<StoreEvent[]> {
    await this.settle();
    return this.events.filter((event) => event.type === type);
  }

  async tryCreate(
    label: string,
    overrides: Partial<NewSession> = {},
    limits: Partial<CreateLimits> = {},
  ): Promise<CreateResult> {
    return this.store.create(newSession(label, overrides), { ...NO_LIMITS, ...limits }, this.call);
  }

  /** A new session, which must not be refused. */
  async create(
    label: string,
    overrides: Partial<NewSession> = {},
    limits: Partial<CreateLimits> = {},
  ): Promise<SessionRecord> {
    const result = await this.tryCreate(label, overrides, limits);
    if (result.status !== "created") return expect.unreachable(`${label} was refused`);
    return snapshot(result.record);
  }

  async find(id: string): Promise<SessionRecord | undefined> {
    return this.store.find(id, this.call);
  }

  /** A copy of a record that must be there. */
  async read(id: string): Promise<SessionRecord> {
    const record = await this.find(id);
    if (record === undefined) return expect.unreachable("the session is not there");
    return snapshot(record);
  }

  async commit(id: string, overrides: Partial<Commit> = {}): Promise<CommitResult> {
    this.#operations += 1;
    return this.store.commit(id, commitOf(`operation-${this.#operations}`, overrides), this.call);
  }

  /** A commit that must be applied. */
  async apply(id: string, overrides: Partial<Commit> = {}): Promise<SessionRecord> {
    const result = await this.commit(id, overrides);
    if (result.status !== "applied") return expect.unreachable(`the commit was ${result.status}`);
    return snapshot(result.record);
  }

  async end(id: string, reason: EndReason = "revoked", epoch?: number): Promise<string> {
    return (await this.store.end(id, reason, { epoch }, this.call)).status;
  }

  async endUser(userId: string, except?: string): Promise<readonly string[]> {
    return (await this.store.endUser(userId, "revoked", { except }, this.call)).ended;
  }

  async endIfDue(id: string): Promise<SessionRecord | undefined> {
    return this.store.endIfDue(id, this.call);
  }

  async track(...items: readonly TrackItem[]): Promise<void> {
    this.#sequence += 1;
    await this.store.track({ instance: "testkit", sequence: this.#sequence, items }, this.call);
  }

  /** One finished request, now. */
  async request(
    id: string,
    request: Partial<ActivityEntry> = {},
    overrides: Partial<TrackItem> = {},
  ): Promise<void> {
    await this.track(requestItem(id, this.now, request, overrides));
  }

  async list(overrides: Partial<StoreQuery> = {}): Promise<StorePage> {
    return this.store.list(queryOf(overrides), this.call);
  }

  /** Ids of one page. */
  async ids(overrides: Partial<StoreQuery> = {}): Promise<string[]> {
    return (await this.list(overrides)).records.map((record) => record.state.id);
  }

  /** A page of a timeline that must be there. */
  async timeline(
    id: string,
    query: { limit?: number; offset?: number; cursor?: string | undefined } = {},
  ): Promise<ActivityPage> {
    const { limit = 50, offset = 0, cursor } = query;
    const page = await this.store.activity(id, { limit, offset, cursor }, this.call);
    return page ?? expect.unreachable("the timeline is not there");
  }

  async metrics(): Promise<StoreMetrics> {
    await this.settle();
    return this.store.metrics(this.call);
  }

  /** Sweeps until nothing is left; answers how many sessions were ended. */
  async sweep(): Promise<number> {
    let total = 0;
    for (let round = 0; round < 10_000; round++) {
      const { ended, more } = await this.store.sweep({ milliseconds: 50 }, this.call);
      total += ended;
      if (!more) return total;
    }
    return expect.unreachable("the sweep never says that it is done");
  }
}

/** The code of the error that an action ends with, whether it throws or rejects. */
export async function codeOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "no error";
}
