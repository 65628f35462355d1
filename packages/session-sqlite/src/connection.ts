import { SessionError } from "@kyb/session-core/store";
import type { OwnDatabase, SqliteDatabase, SqliteStatement, SqliteValue } from "./database.ts";
import { prepareSchema } from "./schema.ts";

/**
 * How a transaction reaches the disk. `synced`: it is there when the call is answered, whatever happens to the machine.
 * `relaxed`: it survives the end of the process; a loss of power may take the latest ones, never a part of one.
 */
export type Durability = "synced" | "relaxed";

const SYNCHRONOUS: Readonly<Record<Durability, string>> = { synced: "FULL", relaxed: "NORMAL" };

/** Most memory for pages, KiB. With SQLite's own 2,000 every flush reads again what the last one read. */
const CACHE_KIB = 16_000;
/**
 * Pages of the log after which it is copied into the file, which one call then waits for. A page that is written again
 * and again is copied once, so fewer copies are less work in all and more at a time: 4,000 are 16 MB.
 */
const CHECKPOINT_PAGES = 4000;

/** One connection, opened and set up with its first use, with its prepared statements. All errors are the driver's. */
export class Connection {
  readonly #open: () => SqliteDatabase | OwnDatabase;
  readonly #isOwn: boolean;
  #database: SqliteDatabase | OwnDatabase | undefined;
  readonly #statements = new Map<string, SqliteStatement>();
  #durability: Durability | undefined;

  /** `isOwn`: what `open` answers is closed with this. */
  constructor(open: () => SqliteDatabase | OwnDatabase, isOwn: boolean) {
    this.#open = open;
    this.#isOwn = isOwn;
  }

  get<Row>(sql: string, ...values: SqliteValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SqliteValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** How many rows were changed. */
  run(sql: string, ...values: SqliteValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /**
   * Runs `work` as one transaction that nobody comes between: it takes the write lock before it reads. Fails with
   * `SQLITE_BUSY` where others have it, and then nothing has been done.
   */
  write<Result>(durability: Durability, work: () => Result): Result {
    const database = this.#ready();
    if (this.#durability !== durability) {
      // It must be said outside of transactions, and counts for the next commit.
      database.exec(`PRAGMA synchronous = ${SYNCHRONOUS[durability]}`);
      this.#durability = durability;
    }
    return this.#transaction("BEGIN IMMEDIATE", work);
  }

  /** Runs `work`, which only reads, on one state of the database. */
  read<Result>(work: () => Result): Result {
    return this.#transaction("BEGIN", work);
  }

  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#statements.clear();
    if (this.#isOwn && database !== undefined && "close" in database) database.close();
  }

  #transaction<Result>(begin: string, work: () => Result): Result {
    this.#statement(begin).run();
    try {
      const result = work();
      this.#statement("COMMIT").run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#statement("ROLLBACK").run();
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full; what went wrong is thrown by the caller.
    }
  }

  #statement(sql: string): SqliteStatement {
    const database = this.#ready();
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #ready(): SqliteDatabase {
    if (this.#database !== undefined) return this.#database;
    const database = this.#open();
    try {
      setUp(database);
    } catch (error) {
      if (this.#isOwn && "close" in database) database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }
}

/** Throws `STORE_MISCONFIGURED` for a database that the store cannot work with. */
function setUp(database: SqliteDatabase): void {
  // Waiting inside SQLite would stop the event loop.
  database.exec("PRAGMA busy_timeout = 0");
  const { journal_mode: mode } = database.prepare("PRAGMA journal_mode = WAL").get() as {
    journal_mode: unknown;
  };
  if (mode !== "wal") {
    throw new SessionError(
      "STORE_MISCONFIGURED",
      `The SQLite database cannot keep a write-ahead log (journal mode ${String(mode)}): it must be a file on a local disk.`,
    );
  }
  const { one } = database.prepare("SELECT 1 AS one").get() as { one: unknown };
  if (typeof one !== "number") {
    throw new SessionError(
      "STORE_MISCONFIGURED",
      "The SQLite database answers numbers as bigint: give the store a connection without safeIntegers.",
    );
  }
  database.exec(
    `PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
  );
  prepareSchema(database);
}
