import type { EndReason, SessionRecord, StoreMetrics } from "@kyb/session-core/store";
import { DURATION_BUCKETS, isProvisional, MAX_ENDPOINTS } from "@kyb/session-core/store";
import type { Counted } from "./reference-held.ts";

const HOUR = 3_600_000;
const REASONS: readonly EndReason[] = [
  "signed-out",
  "revoked",
  "idle",
  "absolute",
  "provisional",
  "limit",
  "reuse",
  "binding",
  "shutdown",
  "erased",
];

/** Counts everything anew from what happened. */
export function metricsOf(
  counted: Counted,
  live: readonly SessionRecord[],
  now: number,
): StoreMetrics {
  const { created, ended, requests } = counted;
  const signedIn = live.filter((record) => record.state.userId !== undefined).length;
  const lengths = live.map((record) => record.lastAccessTime - record.state.createdAt);
  const since = (window: number) => requests.filter(({ at }) => at > now - window);
  const users = since(5 * 60_000).flatMap(({ userId }) => (userId === undefined ? [] : [userId]));
  const thisHour = Math.floor(now / HOUR);
  const hours = created.map((at) => Math.floor(at / HOUR)).filter((hour) => hour > thisHour - 24);
  return {
    totalSessions: created.length + counted.imported,
    activeSessions: live.length,
    signedInSessions: signedIn,
    anonymousSessions: live.length - signedIn,
    provisionalSessions: live.filter(isProvisional).length,
    endedByReason: Object.fromEntries(
      REASONS.map((reason) => [reason, ended.filter((other) => other === reason).length]),
    ) as Record<EndReason, number>,
    totalLength: lengths.reduce((total, length) => total + length, 0),
    totalRequests: requests.length,
    peakSessions: counted.peak,
    peakSessionsTime: counted.peakTime,
    sessionsByHour: Array.from(
      { length: 24 },
      (_, hour) => hours.filter((started) => started % 24 === hour).length,
    ),
    requestsLastMinute: since(60_000).length,
    requestsByStatusClass: [0, 1, 2, 3, 4, 5].map(
      (wanted) => requests.filter(({ sample }) => statusClass(sample.statusCode) === wanted).length,
    ),
    endpoints: endpointsOf(counted),
    durations: [...DURATION_BUCKETS, Number.POSITIVE_INFINITY].map(
      (bound, index, bounds) =>
        requests.filter(
          ({ sample }) => sample.duration <= bound && sample.duration > (bounds[index - 1] ?? -1),
        ).length,
    ),
    activeUsers: new Set(users).size,
    activityDropped: 0,
    lostSessions: 0,
  };
}

function statusClass(status: number): number {
  return status >= 100 && status < 600 ? Math.floor(status / 100) : 0;
}

function endpointsOf(counted: Counted): { endpoint: string; requests: number }[] {
  const counts = new Map<string, number>();
  for (const { sample } of counted.requests) {
    const known = counts.has(sample.endpoint) || counts.size < MAX_ENDPOINTS - 1;
    const endpoint = known ? sample.endpoint : "(other)";
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  }
  return [...counts].map(([endpoint, requests]) => ({ endpoint, requests }));
}
