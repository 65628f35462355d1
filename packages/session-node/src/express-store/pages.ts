import {
  type ActivityPage,
  type ActivityQuery,
  SessionError,
  type SessionRecord,
  type StorePage,
  type StoreQuery,
} from "@kyb/session-core/store";
import type { HeldSession } from "./held-session.ts";

/** Where a session stands in the order of a list. */
type Place = readonly [time: number, id: string];

/** Where a page begins: behind this place; undefined: with the first one. Throws `INVALID_ARGUMENT`. */
export function placeBefore(query: StoreQuery): Place | undefined {
  if (query.cursor === undefined) return undefined;
  const [time, id, order] = readCursor(query.cursor);
  if (typeof time !== "number" || typeof id !== "string" || order !== orderOf(query))
    throw foreign();
  return [time, id];
}

/** One page of all sessions, which had to be read for it. */
export function sessionPage(
  records: readonly SessionRecord[],
  query: StoreQuery,
  after: Place | undefined,
): StorePage {
  const time = (record: SessionRecord): number =>
    query.sort === "createdAt" ? record.state.createdAt : record.lastAccessTime;
  const sign = query.direction === "ascending" ? 1 : -1;
  const compare = (a: Place, b: Place): number =>
    sign * (a[0] - b[0] || (a[1] === b[1] ? 0 : a[1] < b[1] ? -1 : 1));
  const placeOf = (record: SessionRecord): Place => [time(record), record.state.id];
  const matching = records.filter((record) => isMatch(record, query));
  const rows = matching
    .filter((record) => after === undefined || compare(placeOf(record), after) > 0)
    .sort((a, b) => compare(placeOf(a), placeOf(b)))
    .slice(query.offset);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const hasMore = rows.length > page.length && last !== undefined;
  return {
    records: page,
    nextCursor: hasMore ? writeCursor([...placeOf(last), orderOf(query)]) : undefined,
    total: query.search === undefined ? matching.length : undefined,
  };
}

/** One page of a timeline, newest first. `begin`: entries from then or earlier are not shown. */
export function timelinePage(
  { record, entries, position }: HeldSession,
  query: ActivityQuery,
  begin: number,
): ActivityPage {
  const { id } = record.state;
  const numbered = entries.map((entry, index) => ({
    entry,
    number: position - entries.length + index,
  }));
  const shown = numbered.filter(({ entry }) => entry.timestamp > begin).reverse();
  const before = query.cursor === undefined ? position : readPosition(query.cursor, id);
  const rows = shown.filter(({ number }) => number < before).slice(query.offset);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const hasMore = rows.length > page.length && last !== undefined;
  return {
    entries: page.map(({ entry }) => entry),
    nextCursor: hasMore ? writeCursor([id, last.number]) : undefined,
    total: shown.length,
  };
}

function isMatch({ state, endedAt }: SessionRecord, { status, search }: StoreQuery): boolean {
  if (status !== "all" && (endedAt === undefined) !== (status === "active")) return false;
  if (search === undefined || state.id === search || state.ipAddress === search) return true;
  return state.userId?.startsWith(search) === true;
}

function orderOf({ sort, direction }: StoreQuery): string {
  return `${sort} ${direction}`;
}

function readPosition(cursor: string, id: string): number {
  const [owner, position] = readCursor(cursor);
  if (owner !== id || !Number.isSafeInteger(position)) throw foreign();
  return position as number;
}

function writeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function readCursor(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(parts)) return parts;
  } catch (cause) {
    throw foreign(cause);
  }
  throw foreign();
}

function foreign(cause?: unknown): SessionError {
  return new SessionError("INVALID_ARGUMENT", "The cursor was not given by this store.", { cause });
}
