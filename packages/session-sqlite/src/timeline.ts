import {
  type ActivityEntry,
  type ActivityPage,
  type ActivityQuery,
  SessionError,
  type StoreSettings,
} from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { formatActivityCursor, parseActivityCursor } from "./cursor.ts";
import { keyOf, type Row } from "./row.ts";

/** Earlier than everything. */
const EVER = Number.MIN_SAFE_INTEGER;

/** Which entries are kept and shown. */
export interface TimelineRule {
  readonly limit: number;
  /** Entries from this time or earlier are no longer shown. */
  readonly begin: number | undefined;
}

/** Adds entries, oldest first, and lets older ones give way. Answers the number of the latest one. */
export function appendEntries(
  db: Connection,
  row: Row,
  entries: readonly ActivityEntry[],
  { limit, begin }: TimelineRule,
): number {
  if (entries.length === 0) return row.last_entry;
  const key = keyOf(row);
  const last = row.last_entry + entries.length;
  const kept = entries.slice(Math.max(0, entries.length - limit));
  for (const [index, entry] of kept.entries()) {
    const { timestamp, action, endpoint, method, statusCode, duration } = entry;
    const { requestSize, responseSize, metadata } = entry;
    const parts = [action, endpoint, method, statusCode, duration, requestSize, responseSize];
    db.run(
      "INSERT INTO kyb_activity VALUES (?, ?, ?, ?)",
      key,
      last - kept.length + index + 1,
      timestamp,
      JSON.stringify(metadata === undefined ? parts : [...parts, metadata]),
    );
  }
  const first = Math.max(last - limit, firstShown(db, key, begin) - 1);
  if (first > 0) db.run("DELETE FROM kyb_activity WHERE session = ? AND sequence <= ?", key, first);
  return last;
}

/** One page, newest first. */
export function readTimeline(
  db: Connection,
  row: Pick<Row, "key" | "id" | "last_entry">,
  query: ActivityQuery,
  { limit, begin = EVER }: TimelineRule,
): ActivityPage {
  const key = keyOf(row);
  const first = Math.max(0, row.last_entry - limit);
  const before =
    query.cursor === undefined ? row.last_entry + 1 : parseActivityCursor(row.id, query.cursor);
  const shown = "FROM kyb_activity WHERE session = ? AND sequence > ? AND at > ?";
  const rows = db.all<{ sequence: number; at: number; entry: string }>(
    `SELECT sequence, at, entry ${shown} AND sequence < ? ORDER BY sequence DESC LIMIT ? OFFSET ?`,
    key,
    first,
    begin,
    before,
    query.limit + 1,
    query.offset,
  );
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const total = db.get<{ total: number }>(`SELECT count(*) AS total ${shown}`, key, first, begin);
  return {
    entries: page.map(({ at, entry }) => entryOf(row, at, entry)),
    nextCursor:
      rows.length > query.limit && last !== undefined
        ? formatActivityCursor(row.id, last.sequence)
        : undefined,
    total: total?.total ?? 0,
  };
}

/** Which entries are kept and shown at this time. */
export function timelineRule(settings: StoreSettings, now: number): TimelineRule {
  const { activityLimit, activityRetention } = settings;
  const begin = activityRetention === undefined ? undefined : now - activityRetention;
  return { limit: activityLimit, begin };
}

/** The number of the oldest entry that is still shown; those before it are looked at once, and then gone. */
function firstShown(db: Connection, key: number, begin: number | undefined): number {
  if (begin === undefined) return 0;
  const row = db.get<{ sequence: number }>(
    "SELECT sequence FROM kyb_activity WHERE session = ? AND at > ? ORDER BY sequence LIMIT 1",
    key,
    begin,
  );
  return row?.sequence ?? 0;
}

function entryOf({ id }: Pick<Row, "id">, timestamp: number, stored: string): ActivityEntry {
  try {
    const [action, endpoint, method, statusCode, duration, requestSize, responseSize, metadata] =
      JSON.parse(stored);
    const entry: ActivityEntry = {
      timestamp,
      action: String(action),
      endpoint: String(endpoint),
      method: String(method),
      statusCode: Number(statusCode),
      duration: Number(duration),
      requestSize: Number(requestSize),
      responseSize: Number(responseSize),
    };
    return metadata === undefined ? entry : { ...entry, metadata };
  } catch (cause) {
    throw new SessionError(
      "RECORD_UNREADABLE",
      `The stored timeline of session ${id} cannot be read. It was left as it is; revoke the session by its id to be rid of it.`,
      { cause },
    );
  }
}
