import { SessionError, type StoreQuery } from "@kyb/session-core/store";

/** Where the next page of a list begins: behind this place. */
export interface Place {
  readonly time: number;
  readonly id: string;
  /** Matches that the query's offset still has to leave out; not 0 only if a search was broken off. */
  readonly skip: number;
}

type Order = Pick<StoreQuery, "sort" | "direction">;

export function formatPlace({ sort, direction }: Order, { time, id, skip }: Place): string {
  return encode([sort, direction, time, id, skip]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatPlace} did not give for the same order. */
export function parsePlace(order: Order, cursor: string): Place {
  const [, , time, id, skip] = decode(cursor);
  if (typeof time !== "number" || typeof id !== "string" || typeof skip !== "number") {
    throw refused();
  }
  const place = { time, id, skip };
  // One text for each place: this also refuses a cursor of another order.
  if (skip < 0 || formatPlace(order, place) !== cursor) throw refused();
  return place;
}

/** Where the next page of a timeline begins: before this number. */
export function formatEntry(sessionId: string, before: number): string {
  return encode([sessionId, before]);
}

/** Throws `INVALID_ARGUMENT` for whatever {@link formatEntry} did not give for the same session. */
export function parseEntry(sessionId: string, cursor: string): number {
  const [id, before] = decode(cursor);
  if (typeof before !== "number" || !Number.isSafeInteger(before) || before < 0) throw refused();
  if (id !== sessionId || formatEntry(sessionId, before) !== cursor) throw refused();
  return before;
}

function encode(parts: readonly (string | number)[]): string {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
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
