import type { ProcessCounters } from "../engine.ts";
import type { StoreErrors, StoreLatency } from "../gateway.ts";
import type { EndReason } from "../record.ts";
import { percentile } from "./percentiles.ts";
import type { StoreMetrics } from "./snapshot.ts";

/** Endpoints that are shown, the most frequent first. */
const TOP_ENDPOINTS = 20;

/** What is going on. Durations in milliseconds, times epoch milliseconds. */
export interface SessionMetrics {
  /** Sessions ever created. */
  readonly totalSessions: number;
  /** Live now; may include what fell due since the last sweep. */
  readonly activeSessions: number;
  /** Ended as idle, absolute or provisional. */
  readonly expiredSessions: number;
  /** Mean of last access minus creation over the live sessions. */
  readonly averageSessionLength: number;
  /** Requests tracked, ever. */
  readonly totalRequests: number;
  /** Total requests by total sessions. */
  readonly requestsPerSession: number;
  readonly lastUpdated: number;
  /** The highest `activeSessions`, and when. */
  readonly peakSessions: number;
  readonly peakSessionsTime: number;
  /** Sessions started in each of the last 24 UTC hours; keys `"0"` to `"23"`. */
  readonly sessionsByHour: Readonly<Record<string, number>>;
  readonly signedInSessions: number;
  readonly anonymousSessions: number;
  readonly provisionalSessions: number;
  readonly endedByReason: Readonly<Record<EndReason, number>>;
  /** Distinct users with a request in the last 5 minutes. */
  readonly activeUsers: number;
  /** Requests in the last 60 seconds. */
  readonly requestsPerMinute: number;
  readonly requestsByStatus: Readonly<
    Record<"1xx" | "2xx" | "3xx" | "4xx" | "5xx" | "other", number>
  >;
  /** Share of the requests that were answered with 5xx, 0 to 1. */
  readonly errorRate: number;
  readonly topEndpoints: readonly { readonly endpoint: string; readonly requests: number }[];
  readonly durationP50: number;
  readonly durationP95: number;
  readonly durationP99: number;
  /** Calls to an external store, of this process. */
  readonly store: StoreLatency;
  /** Calls of this process that the store could not serve, by code; none of a code: no such key. */
  readonly storeErrors: StoreErrors;
  /** Live sessions that vanished from the store without being ended: evicted, or lost with a restart. */
  readonly lostSessions: number;
  /** Observations thrown away: of this process, and timeline entries of the store. */
  readonly trackingDropped: number;
  /** Times a limit was hit, in this process. */
  readonly limitHits: number;
  /** Writes that the race contract refused, in this process. */
  readonly conflictsPrevented: { readonly gone: number; readonly superseded: number };
}

/** What this process adds to what the store counted. */
export interface ProcessMetrics {
  readonly latency: StoreLatency;
  readonly errors: StoreErrors;
  readonly trackingDropped: number;
  readonly counters: Readonly<ProcessCounters>;
}

/** Derives everything that is shown from what was counted. */
export function toSessionMetrics(
  counted: StoreMetrics,
  process: ProcessMetrics,
  now: number,
): SessionMetrics {
  const { endedByReason, durations, requestsByStatusClass: byClass } = counted;
  const requests = Math.max(1, counted.totalRequests);
  return {
    totalSessions: counted.totalSessions,
    activeSessions: counted.activeSessions,
    expiredSessions: endedByReason.idle + endedByReason.absolute + endedByReason.provisional,
    averageSessionLength: counted.totalLength / Math.max(1, counted.activeSessions),
    totalRequests: counted.totalRequests,
    requestsPerSession: counted.totalRequests / Math.max(1, counted.totalSessions),
    lastUpdated: now,
    peakSessions: counted.peakSessions,
    peakSessionsTime: counted.peakSessionsTime,
    sessionsByHour: Object.fromEntries(
      counted.sessionsByHour.map((count, hour) => [String(hour), count]),
    ),
    signedInSessions: counted.signedInSessions,
    anonymousSessions: counted.anonymousSessions,
    provisionalSessions: counted.provisionalSessions,
    endedByReason,
    activeUsers: counted.activeUsers,
    requestsPerMinute: counted.requestsLastMinute,
    requestsByStatus: {
      "1xx": byClass[1] ?? 0,
      "2xx": byClass[2] ?? 0,
      "3xx": byClass[3] ?? 0,
      "4xx": byClass[4] ?? 0,
      "5xx": byClass[5] ?? 0,
      other: byClass[0] ?? 0,
    },
    errorRate: (byClass[5] ?? 0) / requests,
    topEndpoints: [...counted.endpoints]
      .sort((a, b) => b.requests - a.requests)
      .slice(0, TOP_ENDPOINTS),
    durationP50: percentile(durations, 50),
    durationP95: percentile(durations, 95),
    durationP99: percentile(durations, 99),
    store: process.latency,
    storeErrors: process.errors,
    lostSessions: counted.lostSessions,
    trackingDropped: process.trackingDropped + counted.activityDropped,
    limitHits: process.counters.limits,
    conflictsPrevented: { gone: process.counters.gone, superseded: process.counters.superseded },
  };
}
