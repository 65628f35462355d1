import { SessionError } from "@kyb/session-core/store";

/** What may be bound to a statement. */
export type SqliteValue = string | number | null;

/** A prepared statement, as `node:sqlite` and `better-sqlite3` have it. */
export interface SqliteStatement {
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
  run(...values: SqliteValue[]): { changes: number | bigint };
}

/** All that the store needs of a connection, as `node:sqlite` and `better-sqlite3` have it. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/** A connection that the store opened itself, and therefore closes. */
export interface OwnDatabase extends SqliteDatabase {
  close(): unknown;
}

type NodeSqlite = typeof import("node:sqlite");

/**
 * Node's own SQLite. Looked up at run time, so that a program that brings `better-sqlite3` runs where it is missing.
 * Throws `UNSUPPORTED` where it is.
 */
export function nodeSqlite(): NodeSqlite {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const found = process?.getBuiltinModule?.("node:sqlite") as NodeSqlite | undefined;
  if (found !== undefined) return found;
  throw new SessionError(
    "UNSUPPORTED",
    "sqliteStore({ path }) needs node:sqlite, which Node has since 22.13. Elsewhere give it a better-sqlite3 database: sqliteStore({ database: new Database(path) }).",
  );
}
