import type { MaybePromise, SessionStore, StoreCapabilities } from "../../src/store.ts";

/** The calls of a store that a request or the manager waits for. */
export type StoreMethod =
  | "create"
  | "find"
  | "commit"
  | "track"
  | "end"
  | "endIfDue"
  | "endUser"
  | "list"
  | "activity"
  | "metrics"
  | "import"
  | "sweep";

/** Stands around every call; `run` passes it on. */
export type Around = <Result>(
  method: StoreMethod,
  run: () => MaybePromise<Result>,
) => MaybePromise<Result>;

/** The same store with something around its calls. */
export function wrappedStore(
  inner: SessionStore,
  around: Around,
  capabilities: Partial<StoreCapabilities> = {},
): SessionStore {
  return {
    capabilities: { ...inner.capabilities, ...capabilities },
    attach: (settings) => inner.attach(settings),
    create: (session, limits, call) => around("create", () => inner.create(session, limits, call)),
    find: (id, call) => around("find", () => inner.find(id, call)),
    commit: (id, commit, call) => around("commit", () => inner.commit(id, commit, call)),
    track: (batch, call) => around("track", () => inner.track(batch, call)),
    end: (id, reason, options, call) => around("end", () => inner.end(id, reason, options, call)),
    endIfDue: (id, call) => around("endIfDue", () => inner.endIfDue(id, call)),
    endUser: (userId, reason, options, call) =>
      around("endUser", () => inner.endUser(userId, reason, options, call)),
    list: (query, call) => around("list", () => inner.list(query, call)),
    activity: (id, query, call) => around("activity", () => inner.activity(id, query, call)),
    metrics: (call) => around("metrics", () => inner.metrics(call)),
    import: (sessions, call) => around("import", () => inner.import(sessions, call)),
    sweep: (budget, call) => around("sweep", () => inner.sweep(budget, call)),
    subscribe: (listener) => inner.subscribe(listener),
    close: () => inner.close(),
  };
}
