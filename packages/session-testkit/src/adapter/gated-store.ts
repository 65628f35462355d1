import { setImmediate as turn } from "node:timers/promises";
import { memoryStore, type SessionError } from "@kyb/session-core";
import type {
  ActivityPage,
  ActivityQuery,
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  EndOptions,
  EndReason,
  EndResult,
  EndUserResult,
  ImportedSession,
  ImportStatus,
  MaybePromise,
  NewSession,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoreCapabilities,
  StoreEvent,
  StoreMetrics,
  StorePage,
  StoreQuery,
  StoreSettings,
  SweepResult,
  TrackBatch,
} from "@kyb/session-core/store";
import { deferred } from "./deferred.ts";
import { Gate } from "./gate.ts";
import type { Patience } from "./patience.ts";

/** The methods of a store that a case can hold up or break. */
export type StoreOperation = "create" | "find" | "commit" | "end" | "track";

/** How a store fails: at once, by never answering, or with an error of its own. */
export type StoreFault = "throws" | "hangs" | SessionError;

/**
 * The memory store behind a network that a case controls: every answer comes later, and a case can hold up one call,
 * or break a method until it is repaired.
 */
export class GatedStore implements SessionStore {
  readonly capabilities: StoreCapabilities;
  readonly #memory = memoryStore();
  readonly #patience: Patience;
  readonly #turns: boolean;
  readonly #gates = new Map<StoreOperation, Gate>();
  readonly #everyGate: Gate[] = [];
  readonly #faults = new Map<StoreOperation, StoreFault>();
  readonly #calls = new Map<StoreOperation, number>();
  #repaired = deferred();

  /**
   * `turns`: whether every answer takes a turn of the event loop, which lets other requests come between. Not where
   * the case gives the store little time to answer: on a busy machine a turn can take longer than that.
   */
  constructor(patience: Patience, turns: boolean) {
    this.#patience = patience;
    this.#turns = turns;
    this.capabilities = this.#memory.capabilities;
  }

  /** The next call of this method waits at the gate before it does anything. */
  hold(operation: StoreOperation): Gate {
    const gate = new Gate(this.#patience);
    this.#gates.set(operation, gate);
    this.#everyGate.push(gate);
    return gate;
  }

  /** From now on every call of this method fails. */
  break(operation: StoreOperation, fault: StoreFault): void {
    this.#faults.set(operation, fault);
  }

  repair(): void {
    this.#faults.clear();
    this.#repaired.resolve();
    this.#repaired = deferred();
  }

  /** Opens every gate and repairs everything, so that nothing waits for ever. */
  release(): void {
    for (const gate of this.#everyGate) gate.open();
    this.repair();
  }

  /** How often the method was called. */
  calls(operation: StoreOperation): number {
    return this.#calls.get(operation) ?? 0;
  }

  attach(settings: StoreSettings): void {
    this.#memory.attach(settings);
  }
  create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
    return this.#call("create", () => this.#memory.create(session, limits));
  }
  find(id: string): Promise<SessionRecord | undefined> {
    return this.#call("find", () => this.#memory.find(id));
  }
  commit(id: string, commit: Commit): Promise<CommitResult> {
    return this.#call("commit", () => this.#memory.commit(id, commit));
  }
  track(batch: TrackBatch): Promise<void> {
    return this.#call("track", () => this.#memory.track(batch));
  }
  end(id: string, reason: EndReason, options: EndOptions): Promise<EndResult> {
    return this.#call("end", () => this.#memory.end(id, reason, options));
  }
  endIfDue(id: string): MaybePromise<SessionRecord | undefined> {
    return this.#memory.endIfDue(id);
  }
  endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
  ): MaybePromise<EndUserResult> {
    return this.#memory.endUser(userId, reason, options);
  }
  list(query: StoreQuery): MaybePromise<StorePage> {
    return this.#memory.list(query);
  }
  activity(id: string, query: ActivityQuery): MaybePromise<ActivityPage | undefined> {
    return this.#memory.activity(id, query);
  }
  metrics(): MaybePromise<StoreMetrics> {
    return this.#memory.metrics();
  }
  import(sessions: readonly ImportedSession[]): MaybePromise<readonly ImportStatus[]> {
    return this.#memory.import(sessions);
  }
  sweep(budget: { readonly milliseconds: number }, _call: StoreCall): MaybePromise<SweepResult> {
    return this.#memory.sweep(budget);
  }
  subscribe(listener: (event: StoreEvent) => void): () => void {
    return this.#memory.subscribe(listener);
  }
  close(): void {
    this.release();
    this.#memory.close();
  }

  async #call<Result>(operation: StoreOperation, run: () => Result): Promise<Result> {
    this.#calls.set(operation, this.calls(operation) + 1);
    const gate = this.#gates.get(operation);
    this.#gates.delete(operation);
    await gate?.pass();
    const fault = this.#faults.get(operation);
    if (fault === "hangs") await this.#repaired.promise;
    if (fault instanceof Error) throw fault;
    if (fault !== undefined) throw new Error("The store is out of order.");
    if (this.#turns) await turn();
    return run();
  }
}
