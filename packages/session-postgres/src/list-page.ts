import {
  isSessionError,
  type SessionRecord,
  type StoreCall,
  type StorePage,
  type StoreQuery,
} from "@kyb/session-core/store";
import { formatPlace, parsePlace } from "./cursor.ts";
import type { Database } from "./database.ts";
import {
  FEW_MATCHES,
  type ListContext,
  MAX_WALK,
  pageStatement,
  probeStatement,
  type Statement,
  walkStatement,
} from "./listing.ts";
import { recordOf } from "./stored-row.ts";

interface Row {
  readonly id: string;
  readonly created_at: number;
  readonly last_access: number;
}

interface Found {
  readonly rows: readonly Row[];
  readonly total: number | null;
}

interface Walked {
  readonly rows: readonly Row[];
  readonly matched: number;
  readonly walked: number;
  readonly last: Row | null;
}

/** One page of a list. Records that cannot be read are left out. */
export async function listPage(
  database: Database,
  query: StoreQuery,
  endedRetention: number,
  call: StoreCall,
): Promise<StorePage> {
  const { names, now } = database;
  const place = query.cursor === undefined ? undefined : parsePlace(query, query.cursor);
  const context: ListContext = { names, now, endedRetention, place };
  const ask = ({ text, params }: Statement): Promise<unknown> => database.query(text, params, call);

  if (query.search !== undefined && query.userId === undefined) {
    const matches = Number(await ask(probeStatement(query, context)));
    if (matches > FEW_MATCHES) {
      const walked = (await ask(walkStatement(query, context))) as Walked;
      return { ...pageOf(query, walked.rows, brokenOff(query, context, walked)), total: undefined };
    }
  }
  const { rows, total } = (await ask(pageStatement(query, context))) as Found;
  return { ...pageOf(query, rows, undefined), total: total ?? undefined };
}

/** The page; `beyond` is the cursor where the rows do not tell of more. */
function pageOf(
  query: StoreQuery,
  rows: readonly Row[],
  beyond: string | undefined,
): Pick<StorePage, "records" | "nextCursor"> {
  const last = rows.length > query.limit ? rows[query.limit - 1] : undefined;
  return {
    records: rows.slice(0, query.limit).flatMap(readable),
    nextCursor:
      last === undefined
        ? beyond
        : formatPlace(query, { time: timeOf(query, last), id: last.id, skip: 0 }),
  };
}

/** Where a search goes on that ended before it had a page. */
function brokenOff(
  query: StoreQuery,
  { place }: ListContext,
  { matched, walked, last }: Walked,
): string | undefined {
  if (walked < MAX_WALK || last === null) return undefined;
  const skip = Math.max(0, (place?.skip ?? query.offset) - matched);
  return formatPlace(query, { time: timeOf(query, last), id: last.id, skip });
}

function timeOf(query: StoreQuery, row: Row): number {
  return query.sort === "createdAt" ? row.created_at : row.last_access;
}

function readable(row: Row): readonly SessionRecord[] {
  try {
    return [recordOf(row)];
  } catch (error) {
    // One record that nobody can read does not keep the others from being listed; `find` says what is wrong with it.
    if (isSessionError(error) && error.code === "RECORD_UNREADABLE") return [];
    throw error;
  }
}
