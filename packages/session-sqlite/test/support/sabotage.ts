import type { SqliteDatabase, SqliteStatement } from "../../src/index.ts";

/** A database as the store sees it, with other statements than it asks for. */
export function rewritten(
  database: SqliteDatabase,
  rewrite: (sql: string) => string,
): SqliteDatabase {
  return {
    prepare: (sql) => database.prepare(rewrite(sql)),
    exec: (sql) => database.exec(rewrite(sql)),
  };
}

/** A broken twin: each statement is on its own, so that others come between reading and writing. */
export function withoutTransactions(database: SqliteDatabase): SqliteDatabase {
  const nothing: SqliteStatement = {
    get: () => undefined,
    all: () => [],
    run: () => ({ changes: 0 }),
  };
  return {
    prepare: (sql) => (/^(BEGIN|COMMIT|ROLLBACK)/.test(sql) ? nothing : database.prepare(sql)),
    exec: (sql) => database.exec(sql),
  };
}
