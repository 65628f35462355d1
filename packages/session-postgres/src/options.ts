import { SessionError, type StoreSettings } from "@kyb/session-core/store";
import type { PostgresPool } from "./connection.ts";

/** A connected client of `pg` that the store may listen with; nothing else should use it. */
export interface PostgresListener {
  query(text: string): Promise<unknown>;
  on(event: "notification" | "error" | "end", listener: () => void): unknown;
  removeListener(event: "notification" | "error" | "end", listener: () => void): unknown;
}

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * A `Pool` of `pg` or a `PGlite`, connected to the primary, at the isolation level "read committed", which is
   * PostgreSQL's default. The store neither makes nor ends it. Set `connectionTimeoutMillis`, and have a listener
   * for its `error` event.
   */
  readonly pool: PostgresPool;
  /** The schema of the tables and functions. 1 to 40 letters, digits or underscores. Default `"public"`. */
  readonly schema?: string;
  /** The table of the sessions; all other names begin with it. As `schema`. Default `"kyb_session"`. */
  readonly table?: string;
  /**
   * A connected `Client` of `pg`, used for nothing else: with it the events of other processes arrive at once, without
   * it within a second. Give one to every process or to none. The store does not end it.
   */
  readonly listener?: PostgresListener;
  /** In place of the server's clock: for tests. */
  readonly clock?: { now(): number };
}

const OPTIONS = ["pool", "schema", "table", "listener", "clock"];

/** What holds until a manager attaches. */
export const UNATTACHED: StoreSettings = {
  now: () => Date.now(),
  activityLimit: 1000,
  activityBytes: 0,
  activityRetention: undefined,
  endedRetention: 24 * 60 * 60 * 1000,
  maxEnded: undefined,
  metrics: true,
};

/** Throws `INVALID_CONFIG` naming an option that is wrong. */
export function checkOptions(options: PostgresStoreOptions): void {
  if (typeof options !== "object" || options === null)
    throw wrong("options", "an object with a pool", options);
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw wrong(name, `one of ${OPTIONS.join(", ")}`, name);
  }
  const { pool, listener, clock } = options;
  if (!hasMethods(pool, "query"))
    throw wrong("pool", "a Pool of pg, or something with its query(text, params)", pool);
  if (listener !== undefined && !hasMethods(listener, "query", "on", "removeListener"))
    throw wrong("listener", "a connected Client of pg", listener);
  if (clock !== undefined && !hasMethods(clock, "now"))
    throw wrong("clock", "an object with now()", clock);
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === "function");
}

function wrong(option: string, rule: string, value: unknown): SessionError {
  const got = typeof value === "string" ? JSON.stringify(value) : typeof value;
  return new SessionError(
    "INVALID_CONFIG",
    `postgresStore: ${option} must be ${rule}, got ${got}.`,
  );
}
