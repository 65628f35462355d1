import type { ActivityEntry } from "../activity/entry.ts";
import type { LogHead } from "../activity/log.ts";
import type { EndReason, SessionRecord, SessionState } from "../record.ts";
import {
  CONFIRMED,
  CREATED_AT,
  DUE_AT,
  LAST_ACCESS,
  LAST_ACTIVITY,
  LOG_COUNT,
  LOG_LAST,
  LOG_NEXT,
  numberAt,
  type Page,
  REQUEST_COUNT,
  USER,
  wordAt,
} from "./slots.ts";

/** Counts go no further. At a thousand requests per second that takes 50 days. */
const MAX_COUNT = 0xffff_ffff;

/**
 * One session in memory. `state` is replaced as a whole by a commit; the times and counts, which move while the session
 * is used, lie in the entry's slot.
 */
export class Entry implements SessionRecord, LogHead {
  state: SessionState;
  readonly slot: number;
  readonly #page: Page;
  endedAt: number | undefined = undefined;
  endReason: EndReason | undefined = undefined;
  /** The latest commits, newest first; only of sessions that were committed to. */
  opIds: readonly string[] | undefined = undefined;
  logWhole: Map<number, ActivityEntry> | undefined = undefined;

  constructor(state: SessionState, page: Page, slot: number) {
    this.state = state;
    this.slot = slot;
    this.#page = page;
    this.#setNumber(CREATED_AT, state.createdAt);
    this.lastAccessTime = state.createdAt;
    this.lastActivityTime = state.createdAt;
  }

  get lastAccessTime(): number {
    return this.#number(LAST_ACCESS);
  }

  set lastAccessTime(time: number) {
    this.#setNumber(LAST_ACCESS, time);
  }

  get lastActivityTime(): number {
    return this.#number(LAST_ACTIVITY);
  }

  set lastActivityTime(time: number) {
    this.#setNumber(LAST_ACTIVITY, time);
  }

  /** The session is surely live until then, if no commit comes between. */
  get dueAt(): number {
    return this.#number(DUE_AT);
  }

  set dueAt(time: number) {
    this.#setNumber(DUE_AT, time);
  }

  get requestCount(): number {
    return this.#word(REQUEST_COUNT);
  }

  set requestCount(count: number) {
    this.#setWord(REQUEST_COUNT, Math.min(count, MAX_COUNT));
  }

  get confirmed(): boolean {
    return this.#word(CONFIRMED) === 1;
  }

  set confirmed(confirmed: boolean) {
    this.#setWord(CONFIRMED, confirmed ? 1 : 0);
  }

  /** Number of its user in the index that it is in; 0: none. */
  get user(): number {
    return this.#word(USER);
  }

  get logLast(): number {
    return this.#word(LOG_LAST);
  }

  set logLast(segment: number) {
    this.#setWord(LOG_LAST, segment);
  }

  get logNext(): number {
    return this.#word(LOG_NEXT);
  }

  set logNext(sequence: number) {
    this.#setWord(LOG_NEXT, sequence);
  }

  get logCount(): number {
    return this.#word(LOG_COUNT);
  }

  set logCount(count: number) {
    this.#setWord(LOG_COUNT, count);
  }

  #number(field: number): number {
    return this.#page.numbers[numberAt(this.slot, field)] as number;
  }

  #setNumber(field: number, value: number): void {
    this.#page.numbers[numberAt(this.slot, field)] = value;
  }

  #word(field: number): number {
    return this.#page.words[wordAt(this.slot, field)] as number;
  }

  #setWord(field: number, value: number): void {
    this.#page.words[wordAt(this.slot, field)] = value;
  }
}

/**
 * What the store answers: a copy. A request reads its record again after it has waited for something; if it saw the
 * epoch of a sign-in that happened meanwhile, it could write into a session that it was not opened for.
 */
export function recordOf(entry: Entry): SessionRecord {
  return {
    state: entry.state,
    lastAccessTime: entry.lastAccessTime,
    lastActivityTime: entry.lastActivityTime,
    requestCount: entry.requestCount,
    confirmed: entry.confirmed,
    endedAt: entry.endedAt,
    endReason: entry.endReason,
  };
}

export function createdAt(entry: Entry): number {
  return entry.state.createdAt;
}

export function lastAccessTime(entry: Entry): number {
  return entry.lastAccessTime;
}
