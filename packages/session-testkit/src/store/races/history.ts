import type {
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  EndReason,
  MaybePromise,
  NewSession,
  SessionRecord,
  SessionStore,
  StorePage,
  StoreQuery,
  TrackBatch,
} from "../contract.ts";

/** What was asked of the store, and what it said. */
export type Operation =
  | {
      readonly method: "create";
      readonly session: NewSession;
      readonly limits: CreateLimits;
      answer?: CreateResult;
    }
  | { readonly method: "find"; readonly id: string; answer?: SessionRecord | undefined }
  | {
      readonly method: "commit";
      readonly id: string;
      readonly commit: Commit;
      answer?: CommitResult;
    }
  | { readonly method: "track"; readonly batch: TrackBatch; answer?: undefined }
  | {
      readonly method: "end";
      readonly id: string;
      readonly reason: EndReason;
      readonly epoch: number | undefined;
      answer?: "ended" | "gone" | "superseded";
    }
  | { readonly method: "endIfDue"; readonly id: string; answer?: SessionRecord | undefined }
  | {
      readonly method: "endUser";
      readonly userId: string;
      readonly reason: EndReason;
      readonly except: string | undefined;
      answer?: readonly string[];
    }
  | { readonly method: "list"; readonly query: StoreQuery; answer?: StorePage }
  | { readonly method: "sweep"; answer?: number };

export type Method = Operation["method"];
export type OperationOf<Name extends Method> = Extract<Operation, { method: Name }>;

/**
 * One executed call. Two calls with overlapping spans may have happened in either order; where one span ends before
 * the other begins, the order is certain. The clock stands still during a call.
 */
export interface Span {
  readonly started: number;
  finished: number;
  /** The store's clock. */
  readonly at: number;
  /** The call failed: it may or may not have happened. */
  error?: unknown;
}

/** An operation with its place in time. */
export type Event<Name extends Method = Method> = OperationOf<Name> & Span;

/** Everything that reached the store in one interleaving, in the order in which it started. */
export class History {
  readonly events: Event[] = [];
  readonly #now: () => number;
  readonly #underWay = new Set<Promise<unknown>>();
  #steps = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How much has happened so far; what starts later has a higher `started`. */
  get step(): number {
    return this.#steps;
  }

  /** Executes a call and keeps what it was and what it answered. */
  async record<Op extends Operation, Result>(
    operation: Op,
    call: () => MaybePromise<Result>,
    answer: (result: Result) => Op["answer"],
  ): Promise<Result> {
    const running = this.#run(operation, call, answer);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** Resolves when nothing is under way any more: managers do not wait for what they write behind. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  of<Name extends Method>(method: Name): Event<Name>[] {
    return this.events.filter((event): event is Event<Name> => event.method === method);
  }

  async #run<Op extends Operation, Result>(
    operation: Op,
    call: () => MaybePromise<Result>,
    answer: (result: Result) => Op["answer"],
  ): Promise<Result> {
    this.#steps += 1;
    const event: Op & Span = {
      ...operation,
      started: this.#steps,
      finished: Number.POSITIVE_INFINITY,
      at: this.#now(),
    };
    this.events.push(event as Event);
    try {
      const result = await call();
      event.answer = answer(result);
      return result;
    } catch (error) {
      event.error = error;
      throw error;
    } finally {
      this.#steps += 1;
      event.finished = this.#steps;
    }
  }
}

/** How a recorded call reaches the store: at once, or when the scheduler says so. */
export type Pass = <Result>(
  method: string,
  call: () => Promise<Result>,
  mayBeLost: boolean,
) => Promise<Result>;

/**
 * The same store, with every call that races kept in the history. `isRepeatable` tells which commits the caller
 * repeats when it hears no answer.
 */
export function recordedStore(
  store: SessionStore,
  history: History,
  pass: Pass,
  isRepeatable: boolean,
): SessionStore {
  const through = <Op extends Operation, Result>(
    operation: Op,
    call: () => MaybePromise<Result>,
    answer: (result: Result) => Op["answer"],
  ): Promise<Result> =>
    pass(
      operation.method,
      () => history.record(operation, call, answer),
      isRepeatable && operation.method === "commit",
    );
  return {
    capabilities: { ...store.capabilities, immediate: true, sweepInterval: undefined },
    attach: (settings) => store.attach(settings),
    create: (session, limits, call) =>
      through<OperationOf<"create">, CreateResult>(
        { method: "create", session, limits },
        () => store.create(session, limits, call),
        (result) => ("record" in result ? { ...result, record: copy(result.record) } : result),
      ),
    find: (id, call) =>
      through<OperationOf<"find">, SessionRecord | undefined>(
        { method: "find", id },
        () => store.find(id, call),
        (result) => result && copy(result),
      ),
    commit: (id, commit, call) =>
      through<OperationOf<"commit">, CommitResult>(
        { method: "commit", id, commit },
        () => store.commit(id, commit, call),
        (result) => ("record" in result ? { ...result, record: copy(result.record) } : result),
      ),
    track: (batch, call) =>
      through<OperationOf<"track">, void>(
        { method: "track", batch },
        () => store.track(batch, call),
        () => undefined,
      ),
    end: (id, reason, options, call) =>
      through<OperationOf<"end">, Awaited<ReturnType<SessionStore["end"]>>>(
        { method: "end", id, reason, epoch: options.epoch },
        () => store.end(id, reason, options, call),
        (result) => result.status,
      ),
    endIfDue: (id, call) =>
      through<OperationOf<"endIfDue">, SessionRecord | undefined>(
        { method: "endIfDue", id },
        () => store.endIfDue(id, call),
        (result) => result && copy(result),
      ),
    endUser: (userId, reason, options, call) =>
      through<OperationOf<"endUser">, Awaited<ReturnType<SessionStore["endUser"]>>>(
        { method: "endUser", userId, reason, except: options.except },
        () => store.endUser(userId, reason, options, call),
        (result) => result.ended,
      ),
    list: (query, call) =>
      through<OperationOf<"list">, StorePage>(
        { method: "list", query },
        () => store.list(query, call),
        (result) => ({ ...result, records: result.records.map(copy) }),
      ),
    sweep: (budget, call) =>
      through<OperationOf<"sweep">, Awaited<ReturnType<SessionStore["sweep"]>>>(
        { method: "sweep" },
        () => store.sweep(budget, call),
        (result) => result.ended,
      ),
    // What only looks at counts or timelines takes part in no race, nor does moving in.
    import: (sessions, call) => store.import(sessions, call),
    activity: (id, query, call) => store.activity(id, query, call),
    metrics: (call) => store.metrics(call),
    subscribe: (listener) => store.subscribe(listener),
    close: () => undefined,
  };
}

/** What a record says now: its times and counts may move on, and what was answered must not. */
function copy(record: SessionRecord): SessionRecord {
  const { state, lastAccessTime, lastActivityTime, requestCount, confirmed, endedAt, endReason } =
    record;
  return { state, lastAccessTime, lastActivityTime, requestCount, confirmed, endedAt, endReason };
}
