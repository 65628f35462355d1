import type { ListPlace } from "./cursor.ts";
import { decodeText, encodeText } from "./text.ts";
import { type ListedRows, type Listing, type ListRow, walk } from "./walk.ts";

/** Matches of each kind that are looked up and sorted; more are found by walking. */
const FEW = 500;
/** Sessions that are read in one go. */
const STRIDE = 250;
/** Sessions that one page may look at in vain; then it ends, however few it found, and its cursor carries on. */
const MAX_MISSES = 2000;

interface SearchRow extends ListRow {
  readonly user_id: string | null;
  readonly address: string;
}

/** A text to look for: an exact id, an exact address, or the beginning of a user id. */
export function searchPage(
  listing: Listing,
  search: string,
  start: ListPlace | undefined,
): ListedRows {
  const { limit, offset } = listing.query;
  const few = matches(listing, search);
  if (few === undefined) return walkedPage(listing, search, start);
  const found = walk(listing, start, {
    limit: limit + 1,
    offset: start?.skip ?? offset,
    among: JSON.stringify(few),
  });
  return pageOf(found, limit);
}

/** A page of what was found, one session more than fits on it if there are more. */
export function pageOf(found: readonly ListRow[], limit: number): ListedRows {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  if (found.length <= limit || last === undefined) return { rows, next: undefined };
  return { rows, next: { time: last.time, id: last.id, skip: 0 } };
}

/** Keys of all that matches, by the indexes; undefined: that is too much. */
function matches({ db }: Listing, search: string): number[] | undefined {
  const begin = beginning(search);
  const columns = "SELECT key, id, user_id, address FROM kyb_sessions";
  const byUser = "user_id >= ? AND user_id < ? LIMIT ?";
  const range = [begin, `${begin}\u{10ffff}`, FEW] as const;
  const found = [
    db.all<SearchRow>(`${columns} WHERE id = ?`, search),
    db.all<SearchRow>(`${columns} WHERE address = ? LIMIT ?`, encodeText(search), FEW),
    db.all<SearchRow>(`${columns} WHERE ended_at IS NULL AND ${byUser}`, ...range),
    db.all<SearchRow>(`${columns} WHERE ended_at IS NOT NULL AND ${byUser}`, ...range),
  ];
  if (found.some((rows) => rows.length === FEW)) return undefined;
  const keys = found.flat().flatMap((row) => (isMatch(row, search) ? [row.key] : []));
  return [...new Set(keys)];
}

function walkedPage(listing: Listing, search: string, start: ListPlace | undefined): ListedRows {
  const { limit, offset } = listing.query;
  const rows: ListRow[] = [];
  let skip = start?.skip ?? offset;
  let misses = 0;
  let last = start;
  for (;;) {
    const stride = walk<SearchRow>(listing, last, {
      limit: STRIDE,
      offset: 0,
      columns: ", user_id, address",
    });
    for (const row of stride) {
      const isFound = isMatch(row, search);
      // There is at least one more: what comes before it is where the next page begins.
      if (isFound && rows.length === limit) return { rows, next: last };
      if (!isFound) misses++;
      else if (skip > 0) skip--;
      else rows.push(row);
      last = { time: row.time, id: row.id, skip };
    }
    if (stride.length < STRIDE) return { rows, next: undefined };
    if (misses >= MAX_MISSES) return { rows, next: last };
  }
}

function isMatch({ id, user_id: user, address }: SearchRow, search: string): boolean {
  if (id === search || address === encodeText(search)) return true;
  if (user === null) return false;
  try {
    return decodeText(user).startsWith(search);
  } catch {
    // A user id that this program did not write matches nothing.
    return false;
  }
}

/** The beginning of all stored user ids that begin with `search`; half a character at its end is stored differently. */
function beginning(search: string): string {
  return encodeText(search.replace(/[\ud800-\udbff]$/, ""));
}
