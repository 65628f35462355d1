import { SessionError, type StoreSettings } from "@kyb/session-core/store";
import { nodeSqlite, type OwnDatabase, type SqliteDatabase } from "./database.ts";

/** Where the sessions are: exactly one of the two. */
export type SqliteStoreOptions =
  | {
      /**
       * The database file, made where it is missing; its folder must exist. Opened with `node:sqlite` at the first use,
       * and closed with the store. `:memory:` is refused: for sessions that need not last there is `memoryStore()`.
       */
      readonly path: string;
      readonly database?: undefined;
    }
  | {
      /**
       * An open `better-sqlite3` database, or one of `node:sqlite`, in a file. A connection of the store's own: the store
       * sets its pragmas, and its transactions must not meet others. It stays open when the store is closed.
       */
      readonly database: SqliteDatabase;
      readonly path?: undefined;
    };

/** How to get at the database. */
export interface Source {
  readonly open: () => SqliteDatabase | OwnDatabase;
  /** Whether what `open` answers is the store's to close. */
  readonly isOwn: boolean;
}

/** What holds until a manager says otherwise. */
export const DEFAULTS: StoreSettings = {
  now: () => Date.now(),
  activityLimit: 1000,
  activityBytes: Number.POSITIVE_INFINITY,
  activityRetention: undefined,
  endedRetention: 24 * 60 * 60 * 1000,
  maxEnded: undefined,
  metrics: true,
};

/** Throws `INVALID_CONFIG` naming a wrong option, and `UNSUPPORTED` where there is no `node:sqlite` for a `path`. */
export function sourceOf(options: SqliteStoreOptions): Source {
  for (const name of Object.keys(options)) {
    if (name !== "path" && name !== "database")
      throw refused(name, "an option of sqliteStore", name);
  }
  const { path, database }: { path?: unknown; database?: unknown } = options;
  if ((path === undefined) === (database === undefined)) {
    throw new SessionError("INVALID_CONFIG", "sqliteStore needs either path or database.");
  }
  if (database !== undefined) {
    if (!isDatabase(database))
      throw refused("database", "an open better-sqlite3 database", typeof database);
    return { open: () => database, isOwn: false };
  }
  if (typeof path !== "string" || path === "" || path.includes("\0") || path.includes(":memory:"))
    throw refused("path", "the path of a file", path);
  const { DatabaseSync } = nodeSqlite();
  return { open: () => new DatabaseSync(path), isOwn: true };
}

function isDatabase(value: unknown): value is SqliteDatabase {
  if (typeof value !== "object" || value === null) return false;
  const { prepare, exec } = value as Partial<SqliteDatabase>;
  return typeof prepare === "function" && typeof exec === "function";
}

function refused(option: string, rule: string, value: unknown): SessionError {
  const got = typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : String(value);
  return new SessionError("INVALID_CONFIG", `${option} must be ${rule}, got ${got}.`);
}
