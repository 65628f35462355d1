import type { Connection } from "./connection.ts";
import type { Row } from "./row.ts";

/** Numbers that are kept beside the sessions, in the same transaction. */
export interface Totals {
  created: number;
  requests: number;
  live: number;
  signed_in: number;
  /** Live, anonymous and provisional. */
  provisional: number;
  ended: number;
  /** Sum over the live sessions of last access minus creation, milliseconds. */
  length: number;
}

/** The single row of `kyb_totals`. */
export interface StoredTotals extends Totals {
  readonly peak: number;
  readonly peak_time: number;
}

/** What of a session is counted. */
type Counted = Pick<Row, "user_id" | "created_at" | "last_access" | "provisional" | "ended_at">;

const NAMES = [
  "created",
  "requests",
  "live",
  "signed_in",
  "provisional",
  "ended",
  "length",
] as const;

/** What a transaction has changed so far in the totals. */
export class TotalChanges {
  readonly #db: Connection;
  readonly #changes: Totals = none();

  constructor(db: Connection) {
    this.#db = db;
  }

  add(name: keyof Totals, by: number): void {
    this.#changes[name] += by;
  }

  added(row: Counted): void {
    this.#count(row, 1);
  }

  removed(row: Counted): void {
    this.#count(row, -1);
  }

  /** Some columns of a session have changed. */
  updated(row: Counted, columns: Partial<Counted>): void {
    const { created_at } = row;
    const {
      user_id = row.user_id,
      last_access = row.last_access,
      provisional = row.provisional,
      ended_at = row.ended_at,
    } = columns;
    this.removed(row);
    this.added({ user_id, created_at, last_access, provisional, ended_at });
  }

  /** As it will be after the transaction. */
  current(name: keyof Totals): number {
    return (readTotals(this.#db)[name] ?? 0) + this.#changes[name];
  }

  /** `now`: when the peak was reached, if it was; undefined: nobody counts. */
  store(now: number | undefined): void {
    const changes = this.#changes;
    if (NAMES.every((name) => changes[name] === 0)) return;
    this.#db.run(UPDATE, ...NAMES.map((name) => changes[name]));
    if (changes.created > 0 && now !== undefined) {
      this.#db.run("UPDATE kyb_totals SET peak = live, peak_time = ? WHERE live > peak", now);
    }
  }

  #count(row: Counted, sign: 1 | -1): void {
    if (row.ended_at !== null) {
      this.#changes.ended += sign;
      return;
    }
    this.#changes.live += sign;
    if (row.user_id !== null) this.#changes.signed_in += sign;
    this.#changes.provisional += sign * row.provisional;
    const length = row.last_access - row.created_at;
    // A session with a damaged time can be ended, too.
    if (Number.isFinite(length)) this.#changes.length += sign * length;
  }
}

const UPDATE = `UPDATE kyb_totals SET ${NAMES.map((name) => `${name} = ${name} + ?`).join(", ")}`;

export function readTotals(db: Connection): StoredTotals {
  return db.get<StoredTotals>("SELECT * FROM kyb_totals") ?? { ...none(), peak: 0, peak_time: 0 };
}

function none(): Totals {
  return { created: 0, requests: 0, live: 0, signed_in: 0, provisional: 0, ended: 0, length: 0 };
}
