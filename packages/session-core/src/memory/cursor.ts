import { toBase64url } from "../environment.ts";
import { SessionError } from "../errors.ts";
import type { StoreQuery } from "../store-query.ts";
import type { OrderKey } from "./order.ts";

/** What a place in a list depends on. */
export type ListOrder = Pick<StoreQuery, "sort" | "direction">;

/** Where the next page of a list begins. */
export interface ListPlace extends OrderKey {
  /** Matches that the query's offset still has to leave out; not 0 only if a search was broken off. */
  readonly skip: number;
}

export function formatListCursor(order: ListOrder, place: ListPlace): string {
  return encode([order.sort, order.direction, place.time, place.id, place.skip]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatListCursor} did not give for the same order. */
export function parseListCursor(order: ListOrder, cursor: string): ListPlace {
  const [, , time, id, skip] = decode(cursor);
  if (typeof time !== "number" || typeof id !== "string" || typeof skip !== "number") {
    throw refused();
  }
  const place = { time, id, skip };
  // One text for each place: this also refuses a cursor of another order.
  if (skip < 0 || formatListCursor(order, place) !== cursor) throw refused();
  return place;
}

/** Where the next page of a timeline begins: before this sequence number. */
export function formatLogCursor(sessionId: string, before: number): string {
  return encode([sessionId, before]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatLogCursor} did not give for the same session. */
export function parseLogCursor(sessionId: string, cursor: string): number {
  const [id, before] = decode(cursor);
  if (typeof before !== "number" || !Number.isSafeInteger(before) || before < 0) throw refused();
  if (id !== sessionId || formatLogCursor(sessionId, before) !== cursor) throw refused();
  return before;
}

function encode(parts: readonly (string | number)[]): string {
  return toBase64url(new TextEncoder().encode(JSON.stringify(parts)));
}

function decode(cursor: string): readonly unknown[] {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const parts: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (Array.isArray(parts)) return parts;
  } catch (cause) {
    throw refused(cause);
  }
  throw refused();
}

function refused(cause?: unknown): SessionError {
  return new SessionError("INVALID_ARGUMENT", "cursor was not given by this store for this list.", {
    cause,
  });
}
