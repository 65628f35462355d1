import { DURATION_BUCKETS, type EndReason, type StoreMetrics } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { allEndpoints, HOUR, OTHER_ENDPOINTS, SECOND, WINDOWS } from "./counts.ts";
import { decodeText } from "./text.ts";
import { readTotals } from "./totals.ts";

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

/** All that was counted. Reads some hundred rows, whatever the number of sessions. */
export function readMetrics(db: Connection, now: number): StoreMetrics {
  const totals = readTotals(db);
  const counts = readCounts(db, now);
  const count = (kind: string, slot = 0): number => counts.get(`${kind} ${slot}`) ?? 0;
  const sum = (kind: keyof typeof WINDOWS): number =>
    recent(kind, now, SECOND).reduce((total, slot) => total + count(kind, slot), 0);
  const sessionsByHour = new Array<number>(24).fill(0);
  for (const slot of recent("started", now, HOUR))
    sessionsByHour[slot % 24] = count("started", slot);
  const endpoints = allEndpoints(db).map(({ endpoint, requests }) => ({
    endpoint: decodeText(endpoint),
    requests,
  }));
  const others = count("other");
  if (others > 0) endpoints.push({ endpoint: OTHER_ENDPOINTS, requests: others });
  return {
    totalSessions: totals.created,
    activeSessions: totals.live,
    signedInSessions: totals.signed_in,
    anonymousSessions: totals.live - totals.signed_in,
    provisionalSessions: totals.provisional,
    endedByReason: Object.fromEntries(
      REASONS.map((reason) => [reason, count(`ended ${reason}`)]),
    ) as Record<EndReason, number>,
    totalLength: totals.length,
    totalRequests: totals.requests,
    peakSessions: totals.peak,
    peakSessionsTime: totals.peak_time,
    sessionsByHour,
    requestsLastMinute: sum("second"),
    requestsByStatusClass: [0, 1, 2, 3, 4, 5].map((slot) => count("status", slot)),
    endpoints,
    durations: Array.from({ length: DURATION_BUCKETS.length + 1 }, (_, slot) =>
      count("duration", slot),
    ),
    activeUsers: sum("seen"),
    activityDropped: 0,
    lostSessions: 0,
  };
}

function readCounts(db: Connection, now: number): ReadonlyMap<string, number> {
  const rows = db.all<{ kind: string; slot: number; count: number }>(
    "SELECT kind, slot, count FROM kyb_counts WHERE kind NOT IN ('started', 'second', 'seen') UNION ALL SELECT kind, slot, count FROM kyb_counts WHERE kind = 'started' AND slot > ? UNION ALL SELECT kind, slot, count FROM kyb_counts WHERE kind = 'second' AND slot > ? UNION ALL SELECT kind, slot, count FROM kyb_counts WHERE kind = 'seen' AND slot > ?",
    Math.floor(now / HOUR) - WINDOWS.started,
    Math.floor(now / SECOND) - WINDOWS.second,
    Math.floor(now / SECOND) - WINDOWS.seen,
  );
  return new Map(rows.map(({ kind, slot, count }) => [`${kind} ${slot}`, count]));
}

/** The stretches of a window that `now` is the end of. */
function recent(kind: keyof typeof WINDOWS, now: number, unit: number): number[] {
  const latest = Math.floor(now / unit);
  return Array.from({ length: WINDOWS[kind] }, (_, age) => latest - age);
}
