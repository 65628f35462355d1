import {
  isSessionError,
  type SessionRecord,
  type StorePage,
  type StoreQuery,
  type StoreSettings,
} from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { formatListCursor, parseListCursor } from "./cursor.ts";
import { RECORD_COLUMNS, type RecordRow, recordOf } from "./row.ts";
import { pageOf, searchPage } from "./search.ts";
import { encodeText } from "./text.ts";
import { readTotals } from "./totals.ts";
import { type Listing, walk } from "./walk.ts";

/**
 * One page of a list. Its cost grows with offset and limit; that of one user by last access with the user's sessions.
 * A session that cannot be read is left out.
 */
export function listSessions(
  db: Connection,
  query: StoreQuery,
  settings: StoreSettings,
  now: number,
): StorePage {
  const listing: Listing = { db, query, now, forgotten: now - settings.endedRetention };
  const start = query.cursor === undefined ? undefined : parseListCursor(query, query.cursor);
  const { search, limit, offset } = query;
  const { rows, next } =
    search === undefined
      ? pageOf(walk(listing, start, { limit: limit + 1, offset }), limit)
      : searchPage(listing, search, start);
  return {
    records: rows.flatMap(({ key }) => readableRecord(db, key)),
    nextCursor: next === undefined ? undefined : formatListCursor(query, next),
    total: search === undefined ? total(listing) : undefined,
  };
}

function readableRecord(db: Connection, key: number): SessionRecord[] {
  const row = db.get<RecordRow>(`SELECT ${RECORD_COLUMNS} FROM kyb_sessions WHERE key = ?`, key);
  if (row === undefined) return [];
  try {
    return [recordOf(row)];
  } catch (error) {
    // One bad record must not hide all the others; `find` says what is wrong with it.
    if (isSessionError(error) && error.code === "RECORD_UNREADABLE") return [];
    throw error;
  }
}

function total(listing: Listing): number {
  const { status } = listing.query;
  return (
    (status === "ended" ? 0 : liveTotal(listing)) + (status === "active" ? 0 : endedTotal(listing))
  );
}

function liveTotal({ db, query: { userId } }: Listing): number {
  if (userId === undefined) return readTotals(db).live;
  return count(
    db,
    "INDEXED BY kyb_live_user WHERE ended_at IS NULL AND user_id = ?",
    encodeText(userId),
  );
}

function endedTotal({ db, query: { userId }, forgotten }: Listing): number {
  if (userId === undefined) {
    const left = "INDEXED BY kyb_ended WHERE ended_at IS NOT NULL AND ended_at <= ?";
    return readTotals(db).ended - count(db, left, forgotten);
  }
  return count(
    db,
    "INDEXED BY kyb_ended_user WHERE ended_at IS NOT NULL AND user_id = ? AND ended_at > ?",
    encodeText(userId),
    forgotten,
  );
}

function count(db: Connection, where: string, ...values: (string | number)[]): number {
  return (
    db.get<{ total: number }>(`SELECT count(*) AS total FROM kyb_sessions ${where}`, ...values)
      ?.total ?? 0
  );
}
