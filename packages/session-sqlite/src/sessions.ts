import { RECORD_VERSION } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import type { SqliteValue } from "./database.ts";
import {
  COLUMNS,
  keyOf,
  RECORD_COLUMNS,
  type RecordRow,
  type Row,
  WHOLE_COLUMNS,
  type WholeRow,
} from "./row.ts";
import type { TotalChanges } from "./totals.ts";

const INSERTED = WHOLE_COLUMNS.split(", ").filter((name) => name !== "key") as readonly Exclude<
  keyof WholeRow,
  "key"
>[];
const INSERT = `INSERT INTO kyb_sessions (${INSERTED.join(", ")}) VALUES (${INSERTED.map(() => "?").join(", ")}) RETURNING key`;

/** The rows of `kyb_sessions` within one transaction, and the totals that go with them. It decides nothing. */
export class Sessions {
  readonly #db: Connection;
  readonly #totals: TotalChanges;

  constructor(db: Connection, totals: TotalChanges) {
    this.#db = db;
    this.#totals = totals;
  }

  /** The total that the store will have after the transaction. */
  count(name: "live" | "signed_in" | "ended"): number {
    return this.#totals.current(name);
  }

  find(id: string): Row | undefined {
    return this.#db.get<Row>(`SELECT ${COLUMNS} FROM kyb_sessions WHERE id = ?`, id);
  }

  findWhole(id: string): WholeRow | undefined {
    return this.#db.get<WholeRow>(`SELECT ${WHOLE_COLUMNS} FROM kyb_sessions WHERE id = ?`, id);
  }

  /** Live sessions of a user, in the order in which they would have to go. */
  ofUser(userId: string, order: "created_at" | "last_access"): Row[] {
    return this.#db.all<Row>(
      `SELECT ${COLUMNS} FROM kyb_sessions WHERE ended_at IS NULL AND user_id = ? ORDER BY ${order}, id`,
      userId,
    );
  }

  /** Some live sessions that are due, those first that have been for longest; the ones behind `after` in this order. */
  someDue(now: number, count: number, after: Row | undefined): Row[] {
    return this.#db.all<Row>(
      `SELECT ${COLUMNS} FROM kyb_sessions INDEXED BY kyb_due WHERE ended_at IS NULL AND record = ? AND deadline <= ? AND (deadline, key) > (?, ?) ORDER BY deadline, key LIMIT ?`,
      RECORD_VERSION,
      now,
      after?.deadline ?? Number.MIN_SAFE_INTEGER,
      after?.key ?? 0,
      count,
    );
  }

  /** The live session that has to go first when the store is full: the oldest provisional, else the least recent. */
  firstToGo(): Row | undefined {
    return (
      this.#db.get<Row>(
        `SELECT ${COLUMNS} FROM kyb_sessions INDEXED BY kyb_live_provisional WHERE ended_at IS NULL AND provisional = 1 ORDER BY created_at, id LIMIT 1`,
      ) ??
      this.#db.get<Row>(
        `SELECT ${COLUMNS} FROM kyb_sessions INDEXED BY kyb_live_anonymous WHERE ended_at IS NULL AND user_id IS NULL ORDER BY last_access, id LIMIT 1`,
      )
    );
  }

  /** The sessions that ended first. */
  firstEnded(count: number): Row[] {
    return this.#db.all<Row>(
      `SELECT ${COLUMNS} FROM kyb_sessions INDEXED BY kyb_ended WHERE ended_at IS NOT NULL ORDER BY ended_at, id LIMIT ?`,
      count,
    );
  }

  /** Answers the row with its key. */
  add(row: WholeRow): WholeRow {
    this.#totals.added(row);
    const values = INSERTED.map((name) => row[name]);
    const inserted = this.#db.get<{ key: number }>(INSERT, ...values);
    return { ...row, key: inserted?.key };
  }

  /** Writes what differs: a column that stays the same costs nothing, nor do the indexes that it is in. */
  update(row: Row, columns: Partial<WholeRow>): void {
    const names: string[] = [];
    const values: SqliteValue[] = [];
    for (const name of Object.keys(columns) as (keyof WholeRow)[]) {
      const value = columns[name];
      if (value === undefined || value === (row as Partial<WholeRow>)[name]) continue;
      names.push(name);
      values.push(value);
    }
    if (names.length === 0) return;
    this.#totals.updated(row, columns);
    this.#db.run(
      `UPDATE kyb_sessions SET ${names.join(" = ?, ")} = ? WHERE key = ?`,
      ...values,
      keyOf(row),
    );
  }

  /** Forgets a session with its timeline. */
  forget(row: Row): void {
    this.#totals.removed(row);
    this.#db.run("DELETE FROM kyb_activity WHERE session = ?", keyOf(row));
    this.#db.run("DELETE FROM kyb_sessions WHERE key = ?", keyOf(row));
  }
}

/** What `find` answers; beside a transaction as well. */
export function findRecordRow(db: Connection, id: string): RecordRow | undefined {
  return db.get<RecordRow>(`SELECT ${RECORD_COLUMNS} FROM kyb_sessions WHERE id = ?`, id);
}

/** What a timeline is read with. */
export function findTimelineRow(
  db: Connection,
  id: string,
): Pick<Row, "key" | "id" | "ended_at" | "last_entry"> | undefined {
  return db.get("SELECT key, id, ended_at, last_entry FROM kyb_sessions WHERE id = ?", id);
}
