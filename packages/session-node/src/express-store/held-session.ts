import {
  type ActivityEntry,
  deadline,
  parseRecord,
  RECORD_VERSION,
  SessionError,
  type SessionRecord,
  type StoredRecord,
} from "@kyb/session-core/store";
import type { ExpressSessionData } from "./express-session-store.ts";

/** Entries of a timeline that are kept at most: they are written anew with every flush. */
export const MAX_ENTRIES = 100;

/** Changes and batches that a session remembers, so that a repeated one is told from a new one. */
const REMEMBERED = 4;

/** The property of the express session that holds ours. */
const PROPERTY = "kyb";

/** Everything that is kept of one session. Replaced as a whole. */
export interface HeldSession {
  readonly record: SessionRecord;
  /** Oldest first. */
  readonly entries: readonly ActivityEntry[];
  /** How many entries there have ever been: the number of the next one. */
  readonly position: number;
  /** The latest changes, newest first. */
  readonly opIds: readonly string[];
  /** The latest batch of each manager, newest first. */
  readonly batches: readonly (readonly [instance: string, sequence: number])[];
}

/** A session that nothing has happened to here. `entries`: oldest first. */
export function heldOf(record: SessionRecord, entries: readonly ActivityEntry[]): HeldSession {
  return { record, entries, position: entries.length, opIds: [], batches: [] };
}

export function withOpId(held: HeldSession, opId: string): HeldSession {
  return { ...held, opIds: [opId, ...held.opIds].slice(0, REMEMBERED) };
}

export function withBatch(held: HeldSession, instance: string, sequence: number): HeldSession {
  const others = held.batches.filter(([other]) => other !== instance);
  const batch = [instance, sequence] as const;
  return { ...held, batches: [batch, ...others].slice(0, REMEMBERED) };
}

/** Whether a batch is in the session already. */
export function hasBatch(held: HeldSession, instance: string, sequence: number): boolean {
  if (sequence === 0) return false;
  return held.batches.some(([other, latest]) => other === instance && sequence <= latest);
}

/**
 * As express-session's stores keep it: the cookie, whose end is what they delete by, and our JSON as one text, so that
 * nothing in it means anything to the store's own format.
 */
export function toExpress(
  held: HeldSession,
  now: number,
  endedRetention: number,
): ExpressSessionData {
  const { record } = held;
  const maxAge = (record.endedAt ?? deadline(record)) + endedRetention - now;
  const expires = new Date(Date.now() + maxAge);
  return {
    cookie: { expires, originalMaxAge: maxAge, maxAge },
    [PROPERTY]: JSON.stringify({ version: RECORD_VERSION, ...held }),
  };
}

/** Reads what a store holds. Throws `RECORD_UNREADABLE`, also for a session that express-session itself wrote. */
export function fromExpress(stored: unknown): HeldSession {
  const text = isObject(stored) ? stored[PROPERTY] : undefined;
  if (typeof text !== "string") throw unreadable("it is not one of ours");
  const { version, record, entries, position, opIds, batches } = parse(text);
  if (!isObject(record) || !isObject(record.state)) throw unreadable("its record is missing");
  return {
    record: parseRecord({ ...record, version } as unknown as StoredRecord),
    entries: listOf<ActivityEntry>(entries, isObject),
    position: typeof position === "number" ? position : 0,
    opIds: listOf<string>(opIds, (each) => typeof each === "string"),
    batches: listOf<readonly [string, number]>(batches, Array.isArray),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (cause) {
    throw unreadable("it is not JSON", cause);
  }
  throw unreadable("it is not an object");
}

function listOf<Item>(value: unknown, fits: (item: unknown) => boolean): readonly Item[] {
  if (Array.isArray(value) && value.every(fits)) return value;
  throw unreadable("one of its lists is damaged");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function unreadable(why: string, cause?: unknown): SessionError {
  return new SessionError(
    "RECORD_UNREADABLE",
    `A session in the express-session store cannot be read: ${why}. It was left as it is.`,
    { cause },
  );
}
