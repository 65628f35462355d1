import type { EndReason } from "../record.ts";

/** Upper bounds in milliseconds of the duration buckets; the last bucket has none. Fixed, so that snapshots add up. */
export const DURATION_BUCKETS: readonly number[] = [
  0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
  1024, 1536, 2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 24_576, 32_768, 65_536,
];

/** Most endpoints counted one by one; the rest is counted together as `(other)`. */
export const MAX_ENDPOINTS = 200;

/**
 * What a store counted. Two snapshots of different stores can be added field by field, but for the peak, which the
 * store that sees all sessions keeps. Times are epoch milliseconds.
 */
export interface StoreMetrics {
  /** Sessions ever created. */
  readonly totalSessions: number;
  /** Live now; may include what fell due since the last sweep. */
  readonly activeSessions: number;
  readonly signedInSessions: number;
  readonly anonymousSessions: number;
  readonly provisionalSessions: number;
  readonly endedByReason: Readonly<Record<EndReason, number>>;
  /** Sum over the live sessions of last access minus creation, milliseconds. */
  readonly totalLength: number;
  /** Requests tracked, ever. */
  readonly totalRequests: number;
  readonly peakSessions: number;
  readonly peakSessionsTime: number;
  /** Sessions started in each of the last 24 UTC hours, index = hour of the day. */
  readonly sessionsByHour: readonly number[];
  /** Requests in the last 60 seconds. */
  readonly requestsLastMinute: number;
  /** Requests by status class, index 0 = other, 1..5 = 1xx..5xx. */
  readonly requestsByStatusClass: readonly number[];
  /** The most frequent endpoints, at most {@link MAX_ENDPOINTS}, with `(other)`; not sorted. */
  readonly endpoints: readonly { readonly endpoint: string; readonly requests: number }[];
  /** Counts per bucket of {@link DURATION_BUCKETS}, one more for what lies beyond. */
  readonly durations: readonly number[];
  /** Distinct users with a request in the last 5 minutes. */
  readonly activeUsers: number;
  /** Timeline entries that were dropped for want of room. */
  readonly activityDropped: number;
  /** Live sessions that vanished from the store without being ended: evicted, or lost with a restart. */
  readonly lostSessions: number;
}
