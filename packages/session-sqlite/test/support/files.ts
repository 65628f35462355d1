import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import Database from "better-sqlite3";
import type { SqliteDatabase } from "../../src/index.ts";

/** The two ways to SQLite. They are two libraries: never both in one process on one file, whose locks they would undo. */
export const DRIVERS = ["node:sqlite", "better-sqlite3"] as const;
export type Driver = (typeof DRIVERS)[number];

/** A connection of a test's own. */
export interface TestDatabase extends SqliteDatabase {
  close(): unknown;
}

export function openDatabase(driver: Driver, path: string): TestDatabase {
  return driver === "node:sqlite" ? new DatabaseSync(path) : new Database(path);
}

/** A folder for database files, which goes with `remove`. */
export class TestFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "kyb-sqlite-"));
  #files = 0;

  /** The path of a file that is not there yet. */
  file(): string {
    this.#files += 1;
    return join(this.path, `${this.#files}.db`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
