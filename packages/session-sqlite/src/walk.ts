import type { StoreQuery } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import type { ListPlace } from "./cursor.ts";
import type { SqliteValue } from "./database.ts";
import { encodeText } from "./text.ts";

/** A query as the store answers it. */
export interface Listing {
  readonly db: Connection;
  readonly query: StoreQuery;
  readonly now: number;
  /** Sessions that ended at this time or earlier are no longer known. */
  readonly forgotten: number;
}

/** One session of a list: enough to order it and to find it. */
export interface ListRow {
  readonly key: number;
  readonly id: string;
  readonly time: number;
}

/** Sessions in the order of a query, and where the next page begins; undefined: this is the last one. */
export interface ListedRows {
  readonly rows: readonly ListRow[];
  readonly next: ListPlace | undefined;
}

/** How far to walk, and what to answer of each session beside a {@link ListRow}. */
export interface Way {
  readonly limit: number;
  readonly offset: number;
  readonly columns?: string;
  /** Keys of the sessions that are looked at, as JSON; undefined: all. */
  readonly among?: string;
}

/** A condition with the values of its placeholders. */
interface Condition {
  readonly where: string;
  readonly values: readonly SqliteValue[];
}

/** A part of the sessions that one index has in order. */
interface Part extends Condition {
  readonly index: string;
}

/** The next sessions behind `start`, in order. */
export function walk<Row extends ListRow>(
  listing: Listing,
  start: ListPlace | undefined,
  { limit, offset, columns = "", among }: Way,
): Row[] {
  const { db, query } = listing;
  const time = query.sort === "createdAt" ? "created_at" : "last_access";
  const [order, beyond] = query.direction === "ascending" ? ["ASC", ">"] : ["DESC", "<"];
  const behind = start === undefined ? "" : ` AND (${time}, id) ${beyond} (?, ?)`;
  const place = start === undefined ? [] : [start.time, start.id];
  // Each part comes in the order of its index, and SQLite merges them as far as it has to. Few sessions are sorted.
  const parts = among === undefined ? orderedParts(listing) : unorderedParts(listing, among);
  const selects = parts.map(
    ({ index, where }) =>
      `SELECT key, id, ${time} AS time${columns} FROM kyb_sessions ${index} WHERE ${where}${behind}`,
  );
  return db.all<Row>(
    `${selects.join(" UNION ALL ")} ORDER BY time ${order}, id ${order} LIMIT ? OFFSET ?`,
    ...parts.flatMap(({ values }) => [...values, ...place]),
    limit,
    offset,
  );
}

function orderedParts(listing: Listing): Part[] {
  const { userId, sort } = listing.query;
  const user = userId === undefined ? undefined : encodeText(userId);
  const part = (index: string, where: string, base: Condition): Part => ({
    index: `INDEXED BY ${index}`,
    where: `${where} AND ${base.where}`,
    values: user === undefined ? base.values : [user, ...base.values],
  });
  const live = liveOnes(listing).flatMap((base) => {
    if (user !== undefined) return [part("kyb_live_user", "user_id = ?", base)];
    if (sort === "createdAt")
      return [
        part("kyb_live_provisional", "provisional = 1", base),
        part("kyb_live_settled", "provisional = 0", base),
      ];
    return [
      part("kyb_live_anonymous", "user_id IS NULL", base),
      part("kyb_live_signed_in", "user_id IS NOT NULL", base),
    ];
  });
  const ended = endedOnes(listing).map((base) => {
    if (user !== undefined) return part("kyb_ended_user", "user_id = ?", base);
    return part(sort === "createdAt" ? "kyb_ended_created" : "kyb_ended_access", "1", base);
  });
  return [...live, ...ended];
}

function unorderedParts(listing: Listing, among: string): Part[] {
  const { userId } = listing.query;
  const user = userId === undefined ? "" : " AND user_id = ?";
  return [...liveOnes(listing), ...endedOnes(listing)].map(({ where, values }) => ({
    index: "",
    where: `key IN (SELECT value FROM json_each(?))${user} AND ${where}`,
    values: [among, ...(userId === undefined ? [] : [encodeText(userId)]), ...values],
  }));
}

function liveOnes({ query: { status }, now }: Listing): Condition[] {
  if (status === "ended") return [];
  // Who asks for all sees those that are due as what they are: not yet ended.
  if (status === "all") return [{ where: "ended_at IS NULL", values: [] }];
  return [{ where: "ended_at IS NULL AND deadline > ?", values: [now] }];
}

function endedOnes({ query: { status }, forgotten }: Listing): Condition[] {
  if (status === "active") return [];
  return [{ where: "ended_at IS NOT NULL AND ended_at > ?", values: [forgotten] }];
}
