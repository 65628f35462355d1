import type { ActivityEntry } from "./activity/entry.ts";
import type { SessionRecord } from "./record.ts";

/** Which sessions to list; complete and checked. */
export interface StoreQuery {
  readonly userId: string | undefined;
  readonly status: "active" | "ended" | "all";
  /** An exact id, an exact address, or the beginning of a user id. */
  readonly search: string | undefined;
  readonly sort: "createdAt" | "lastAccessTime";
  readonly direction: "ascending" | "descending";
  /** 1 to 1000. */
  readonly limit: number;
  /** 0 to 10,000; with a cursor: 0. */
  readonly offset: number;
  readonly cursor: string | undefined;
}

/** Some of the sessions that a query asked for. */
export interface StorePage {
  readonly records: readonly SessionRecord[];
  /** Where the next page begins; undefined on the last page. */
  readonly nextCursor: string | undefined;
  /** Exact for status and user; undefined with `search`. */
  readonly total: number | undefined;
}

/** Which part of a timeline; complete and checked. */
export interface ActivityQuery {
  readonly limit: number;
  readonly offset: number;
  readonly cursor: string | undefined;
}

/** Some entries of a timeline, newest first. */
export interface ActivityPage {
  readonly entries: readonly ActivityEntry[];
  readonly nextCursor: string | undefined;
  readonly total: number;
}
