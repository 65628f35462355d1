import { SessionError, type StoreQuery } from "@kyb/session-core/store";

/** Where the next page of a list begins. */
export interface ListPlace {
  readonly time: number;
  readonly id: string;
  /** Matches that the query's offset still has to leave out; not 0 only if a search was broken off. */
  readonly skip: number;
}

type ListOrder = Pick<StoreQuery, "sort" | "direction">;

export function formatListCursor(order: ListOrder, place: ListPlace): string {
  return encode([order.sort, order.direction, place.time, place.id, place.skip]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatListCursor} did not give for the same order. */
export function parseListCursor(order: ListOrder, cursor: string): ListPlace {
  const [, , time, id, skip] = decode(cursor);
  if (typeof time !== "number" || typeof id !== "string" || typeof skip !== "number")
    throw refused();
  const place = { time, id, skip };
  // One text for each place: this also refuses a cursor of another order.
  if (skip < 0 || formatListCursor(order, place) !== cursor) throw refused();
  return place;
}

/** Where the next page of a timeline begins: before this number. */
export function formatActivityCursor(id: string, before: number): string {
  return encode([id, before]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatActivityCursor} did not give for the same session. */
export function parseActivityCursor(id: string, cursor: string): number {
  const [owner, before] = decode(cursor);
  if (owner !== id || typeof before !== "number" || !Number.isSafeInteger(before) || before < 0) {
    throw refused();
  }
  if (formatActivityCursor(id, before) !== cursor) throw refused();
  return before;
}

function encode(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function decode(cursor: string): readonly unknown[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch (cause) {
    throw refused(cause);
  }
  if (!Array.isArray(parts)) throw refused();
  return parts;
}

function refused(cause?: unknown): SessionError {
  return new SessionError("INVALID_ARGUMENT", "cursor was not given by this store for this list.", {
    cause,
  });
}
