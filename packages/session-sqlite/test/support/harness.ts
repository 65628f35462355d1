import type { StoreHarness } from "@kyb/session-testkit";
import { type SqliteDatabase, sqliteStore } from "../../src/index.ts";
import { type Driver, openDatabase, type TestDatabase, type TestFolder } from "./files.ts";

/** Changes what a store gets to see of its database, for stores that are to be found wanting. */
export type Sabotage = (database: SqliteDatabase) => SqliteDatabase;

/**
 * Stores on files that are emptied and used again, because making one costs more than most cases. Each has a connection
 * of its own.
 */
export function sqliteHarness(
  driver: Driver,
  folder: TestFolder,
  sabotage: Sabotage = (database) => database,
): StoreHarness {
  const free: TestDatabase[] = [];
  return {
    open: () => {
      const database = free.pop() ?? openDatabase(driver, folder.file());
      const store = sqliteStore({ database: sabotage(database) });
      return {
        store,
        close: () => {
          empty(database);
          free.push(database);
        },
      };
    },
  };
}

/** Takes away all that a store has written, and what it has made. */
function empty(database: TestDatabase): void {
  const tables = database.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'kyb_%' AND name <> 'kyb_meta'",
  );
  database.exec("BEGIN");
  for (const { name } of tables.all() as { name: string }[]) {
    if (name === "kyb_totals") continue;
    database.exec(`DELETE FROM ${name}`);
  }
  database.exec(
    "UPDATE kyb_totals SET created = 0, requests = 0, live = 0, signed_in = 0, provisional = 0, ended = 0, length = 0, peak = 0, peak_time = 0",
  );
  database.exec("COMMIT");
}
