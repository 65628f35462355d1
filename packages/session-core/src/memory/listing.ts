import { lifecycle } from "../lifecycle.ts";
import type { StoreQuery } from "../store-query.ts";
import { formatListCursor, parseListCursor } from "./cursor.ts";
import { createdAt, type Entry, lastAccessTime } from "./entry.ts";
import { compareIds, type Order, type OrderKey } from "./order.ts";
import type { Sessions } from "./sessions.ts";

/**
 * Sessions that one page may look at in vain, within half a millisecond; then it ends, however few it found, and its cursor carries on.
 * That happens to a search in many sessions, which has no index: one of addresses would cost every session 50 bytes.
 */
export const MAX_MISSES = 1500;

/** Sessions that one page ends because they are due; more of them are left to the sweep. */
const MAX_DUE = 500;

/** A page, and what was found on the way that is over and has not been ended yet. */
export interface Listing {
  readonly entries: readonly Entry[];
  readonly nextCursor: string | undefined;
  readonly due: readonly Entry[];
}

/**
 * One page of a list. Of all sessions: the cost grows with offset and limit. Of one user: with that user's sessions.
 * With a search that is not an id: with the sessions looked at, at most {@link MAX_MISSES} that do not match.
 */
export function listEntries(sessions: Sessions, query: StoreQuery, now: number): Listing {
  const start = query.cursor === undefined ? undefined : parseListCursor(query, query.cursor);
  const due: Entry[] = [];
  const time = query.sort === "createdAt" ? createdAt : lastAccessTime;
  const descending = query.direction === "descending";
  const step = descending ? -1 : 1;
  const compare = (left: Entry, right: Entry): number =>
    step * (time(left) - time(right) || compareIds(left.state.id, right.state.id));
  const isAfter = (entry: Entry, key: OrderKey): boolean =>
    step * (time(entry) - key.time || compareIds(entry.state.id, key.id)) > 0;
  const accept = (entry: Entry): boolean => {
    if (!isMatch(entry, query)) return false;
    const isLeaving = sessions.departureOf(entry) !== undefined;
    if (!isLeaving) {
      if (entry.endedAt !== undefined || now < entry.dueAt) return true;
      if (lifecycle(entry, now) === "live") return true;
    }
    const hasRoom = due.length < MAX_DUE;
    if (hasRoom) due.push(entry);
    return query.status === "all" && (hasRoom || !isLeaving);
  };

  let skip = start?.skip ?? query.offset;
  let candidates: Iterable<Entry>;
  const few = fewCandidates(sessions, query);
  if (few === undefined) {
    candidates = merged(
      orders(sessions, query).map((order) => order.walk(descending, start)),
      compare,
    );
  } else {
    // An index has the latest ones last: so most of the others are seen to be too many at once.
    if (descending) few.reverse();
    const rest = few.filter(
      (entry) => (start === undefined || isAfter(entry, start)) && accept(entry),
    );
    candidates = smallest(rest, skip + query.limit + 1, compare);
  }

  const entries: Entry[] = [];
  let last: Entry | undefined;
  let misses = 0;
  let more = false;
  for (const entry of candidates) {
    if (few !== undefined || accept(entry)) {
      more = entries.length === query.limit;
      if (more) break;
      last = entry;
      if (skip > 0) skip--;
      else entries.push(entry);
      continue;
    }
    last = entry;
    misses++;
    more = misses === MAX_MISSES;
    if (more) break;
  }
  if (!more || last === undefined) return { entries, nextCursor: undefined, due };
  const place = { time: time(last), id: last.state.id, skip };
  return { entries, nextCursor: formatListCursor(query, place), due };
}

/** The sessions that an index leads to, in no order; undefined: look at all. */
function fewCandidates(sessions: Sessions, query: StoreQuery): Entry[] | undefined {
  if (query.search !== undefined) {
    const entry = sessions.find(query.search);
    if (entry !== undefined) return [entry];
  }
  if (query.userId === undefined) return undefined;
  const live = query.status === "ended" ? [] : sessions.users.of(query.userId);
  const ended = query.status === "active" ? [] : sessions.endedUsers.of(query.userId);
  return live.concat(ended);
}

function orders(sessions: Sessions, { sort, status }: StoreQuery): Order[] {
  const live =
    sort === "createdAt"
      ? [sessions.provisional, sessions.settled]
      : [sessions.anonymous, sessions.signedIn];
  const ended = sort === "createdAt" ? sessions.endedByCreation : sessions.endedByAccess;
  if (status === "active") return live;
  return status === "ended" ? [ended] : [...live, ended];
}

function isMatch(entry: Entry, { status, userId, search }: StoreQuery): boolean {
  if (status !== "all" && (entry.endedAt === undefined) !== (status === "active")) return false;
  const { state } = entry;
  if (userId !== undefined && state.userId !== userId) return false;
  if (search === undefined || state.userId?.startsWith(search) === true) return true;
  return state.ipAddress === search || state.id === search;
}

/** Several sorted sequences as one. */
function* merged(
  sequences: readonly Iterator<Entry[]>[],
  compare: (left: Entry, right: Entry) => number,
): Generator<Entry> {
  const heads = sequences.map((sequence) => new Head(sequence));
  for (;;) {
    let first: Head | undefined;
    for (const head of heads) {
      if (head.entry === undefined) continue;
      if (first?.entry === undefined || compare(head.entry, first.entry) < 0) first = head;
    }
    if (first?.entry === undefined) return;
    yield first.entry;
    first.advance();
  }
}

/** Reads a sequence of lists entry by entry. */
class Head {
  /** Undefined at the end. */
  entry: Entry | undefined;
  readonly #lists: Iterator<Entry[]>;
  #list: readonly Entry[] = [];
  #index = -1;

  constructor(lists: Iterator<Entry[]>) {
    this.#lists = lists;
    this.advance();
  }

  advance(): void {
    this.#index++;
    while (this.#index >= this.#list.length) {
      const next = this.#lists.next();
      if (next.done === true) {
        this.entry = undefined;
        return;
      }
      this.#list = next.value;
      this.#index = 0;
    }
    this.entry = this.#list[this.#index];
  }
}

/** The first `count` in order, without sorting all. */
function smallest(
  entries: readonly Entry[],
  count: number,
  compare: (left: Entry, right: Entry) => number,
): Entry[] {
  let kept: Entry[] = [];
  let worst: Entry | undefined;
  for (const entry of entries) {
    if (worst !== undefined && compare(entry, worst) >= 0) continue;
    kept.push(entry);
    if (kept.length < 2 * count) continue;
    kept = kept.sort(compare).slice(0, count);
    worst = kept.at(-1);
  }
  return kept.sort(compare).slice(0, count);
}
