import { MAX_ENDPOINTS, type StoreMetrics } from "@kyb/session-core/store";
import { END_REASONS } from "./schema/function.ts";
import { decodeText } from "./stored-text.ts";
import { requestSums } from "./tracking.ts";

/** What the function `metrics` answers. */
export interface Counted {
  readonly live: number;
  readonly signedIn: number;
  readonly provisional: number;
  readonly length: number;
  readonly created: number;
  readonly otherEndpoints: number;
  /** In the order of {@link END_REASONS}. */
  readonly reasons: readonly number[];
  readonly requests: readonly number[];
  readonly peak: readonly [sessions: number, at: number];
  readonly started: readonly (readonly [hour: number, amount: number])[];
  readonly lastMinute: number;
  readonly activeUsers: number;
  readonly endpoints: readonly (readonly [endpoint: string, requests: number])[];
}

export function metricsOf(counted: Counted): StoreMetrics {
  const { total, byStatusClass, durations } = requestSums(counted.requests);
  const sessionsByHour = new Array<number>(24).fill(0);
  for (const [hour, amount] of counted.started) {
    sessionsByHour[hour] = (sessionsByHour[hour] ?? 0) + amount;
  }
  const [peakSessions, peakSessionsTime] = counted.peak;
  return {
    totalSessions: counted.created,
    activeSessions: counted.live,
    signedInSessions: counted.signedIn,
    anonymousSessions: counted.live - counted.signedIn,
    provisionalSessions: counted.provisional,
    endedByReason: Object.fromEntries(
      END_REASONS.map((reason, index) => [reason, counted.reasons[index] ?? 0]),
    ) as StoreMetrics["endedByReason"],
    totalLength: counted.length,
    totalRequests: total,
    peakSessions,
    peakSessionsTime,
    sessionsByHour,
    requestsLastMinute: counted.lastMinute,
    requestsByStatusClass: byStatusClass,
    endpoints: endpointsOf(counted),
    durations,
    activeUsers: counted.activeUsers,
    activityDropped: 0,
    // PostgreSQL evicts nothing.
    lostSessions: 0,
  };
}

/** Trackers that meet may leave a few endpoints too many until the next request: the least of them are not told apart. */
function endpointsOf({ endpoints, otherEndpoints }: Counted): StoreMetrics["endpoints"] {
  const rows = endpoints.map(([endpoint, requests]) => ({
    endpoint: decodeText(endpoint) ?? endpoint,
    requests,
  }));
  rows.sort((left, right) => right.requests - left.requests);
  const rest = rows.splice(MAX_ENDPOINTS - 1);
  const other = rest.reduce((sum, { requests }) => sum + requests, otherEndpoints);
  return other === 0 ? rows : [...rows, { endpoint: "(other)", requests: other }];
}
