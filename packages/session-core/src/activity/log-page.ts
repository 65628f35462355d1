import type { ActivityEntry } from "./entry.ts";

/** Which part of a timeline is read. */
export interface LogQuery {
  readonly limit: number;
  readonly offset: number;
  /** Begin with the entry before this sequence number; undefined: with the newest. */
  readonly before: number | undefined;
  /** Leave out entries from this time or earlier, epoch milliseconds. */
  readonly after: number | undefined;
}

export interface LogPage {
  readonly entries: readonly ActivityEntry[];
  /** `before` for the next page; undefined on the last one. */
  readonly next: number | undefined;
  readonly total: number;
}
