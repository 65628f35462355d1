import type {
  ActivityEntry,
  ActivityPage,
  ActivityQuery,
  SessionRecord,
  StorePage,
  StoreQuery,
} from "@kyb/session-core/store";
import { SessionError } from "@kyb/session-core/store";

/** An entry with its place in the timeline, which never repeats. */
export interface Positioned {
  readonly position: number;
  readonly entry: ActivityEntry;
}

/** One page of all records; the cursor is the place of the last record on the page before. */
export function pageOf(records: readonly SessionRecord[], query: StoreQuery): StorePage {
  const after =
    query.cursor === undefined ? undefined : /^(\d+)_([\w-]{22,64})$/.exec(query.cursor);
  if (after === null) throw foreignCursor();
  const place = (record: SessionRecord): number =>
    query.sort === "createdAt" ? record.state.createdAt : record.lastAccessTime;
  const way = query.direction === "ascending" ? 1 : -1;
  const compare = (time: number, id: string, other: SessionRecord): number =>
    way * (time - place(other) || (id < other.state.id ? -1 : id > other.state.id ? 1 : 0));

  const all = records
    .filter((record) => matches(record, query))
    .sort((left, right) => compare(place(left), left.state.id, right));
  const [, time, id = ""] = after ?? [];
  const rest =
    time === undefined ? all : all.filter((record) => compare(Number(time), id, record) < 0);
  const page = rest.slice(query.offset, query.offset + query.limit);
  const last = page.at(-1);
  const more = rest.length > query.offset + query.limit;
  return {
    records: page,
    nextCursor: more && last !== undefined ? `${place(last)}_${last.state.id}` : undefined,
    total: query.search === undefined ? all.length : undefined,
  };
}

/** One page of a timeline, newest first. */
export function timelineOf(oldestFirst: readonly Positioned[], query: ActivityQuery): ActivityPage {
  if (query.cursor !== undefined && !/^\d+$/.test(query.cursor)) throw foreignCursor();
  const before = Number(query.cursor ?? Number.POSITIVE_INFINITY);
  const rest = [...oldestFirst].reverse().filter(({ position }) => position < before);
  const page = rest.slice(query.offset, query.offset + query.limit);
  const more = rest.length > query.offset + query.limit;
  return {
    entries: page.map(({ entry }) => entry),
    nextCursor: more ? String(page.at(-1)?.position) : undefined,
    total: oldestFirst.length,
  };
}

function foreignCursor(): SessionError {
  return new SessionError("INVALID_ARGUMENT", "The cursor is not from this store.");
}

function matches(record: SessionRecord, { userId, status, search }: StoreQuery): boolean {
  const { state, endedAt } = record;
  if (userId !== undefined && state.userId !== userId) return false;
  if (status !== "all" && (endedAt === undefined) !== (status === "active")) return false;
  if (search === undefined) return true;
  return (
    state.id === search || state.ipAddress === search || state.userId?.startsWith(search) === true
  );
}
