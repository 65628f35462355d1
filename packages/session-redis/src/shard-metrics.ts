import {
  DURATION_BUCKETS,
  type EndReason,
  MAX_ENDPOINTS,
  type StoreMetrics,
} from "@kyb/session-core/store";
import { textsOf } from "./reply.ts";
import type { ScriptReply } from "./script-runner.ts";
import { decodePart } from "./text-code.ts";

const HOUR = 3_600_000;
const OTHER = "(other)";
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

/** Adds up what the shards counted. */
export function sumMetrics(replies: readonly ScriptReply[]): StoreMetrics {
  const shards = replies.map(shardOf);
  const now = Math.max(...replies.map((reply) => reply.now));
  const total = (field: string): number =>
    shards.reduce((sum, { counts }) => sum + (counts.get(field) ?? 0), 0);
  const gauge = (index: number): number =>
    shards.reduce((sum, { gauges }) => sum + (gauges[index] ?? 0), 0);
  const anonymous = gauge(0);
  const signedIn = gauge(1);
  return {
    totalSessions: total("ts"),
    activeSessions: anonymous + signedIn,
    signedInSessions: signedIn,
    anonymousSessions: anonymous,
    provisionalSessions: gauge(2),
    endedByReason: Object.fromEntries(
      REASONS.map((reason) => [reason, total(`r:${reason}`)]),
    ) as Record<EndReason, number>,
    totalLength: total("tl"),
    totalRequests: total("tr"),
    peakSessions: total("pk"),
    peakSessionsTime: Math.max(...shards.map(({ counts }) => counts.get("pt") ?? 0)),
    sessionsByHour: windowCounts(shards, "h", 24, Math.floor(now / HOUR)),
    requestsLastMinute: windowCounts(shards, "q", 60, Math.floor(now / 1000)).reduce(plus, 0),
    requestsByStatusClass: [0, 1, 2, 3, 4, 5].map((hundreds) => total(`s${hundreds}`)),
    endpoints: topEndpoints(shards, total("oe")),
    durations: Array.from({ length: DURATION_BUCKETS.length + 1 }, (_, index) =>
      total(`d${index}`),
    ),
    activeUsers: gauge(3),
    activityDropped: 0,
    lostSessions: total("lost"),
  };
}

interface Shard {
  readonly counts: ReadonlyMap<string, number>;
  /** Counts of a stretch of time: `stretch count`. */
  readonly windows: ReadonlyMap<string, string>;
  readonly endpoints: readonly string[];
  readonly gauges: readonly number[];
}

function shardOf({ values }: ScriptReply): Shard {
  const [hash, endpoints, gauges] = values.map(textsOf);
  const counts = new Map<string, number>();
  const windows = new Map<string, string>();
  const fields = hash ?? [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    if (value.includes(" ")) windows.set(name, value);
    else counts.set(name, Number(value));
  }
  return { counts, windows, endpoints: endpoints ?? [], gauges: (gauges ?? []).map(Number) };
}

/** Counts per stretch for the latest `length` stretches; the stretch with number n is at n modulo the length. */
function windowCounts(
  shards: readonly Shard[],
  name: string,
  length: number,
  latest: number,
): number[] {
  const sums = new Array<number>(length).fill(0);
  for (const { windows } of shards) {
    for (let index = 0; index < length; index++) {
      const [stretch = Number.NaN, count = 0] = (windows.get(`${name}${index}`) ?? "")
        .split(" ")
        .map(Number);
      if (stretch > latest - length && stretch <= latest) {
        sums[index] = (sums[index] ?? 0) + count;
      }
    }
  }
  return sums;
}

/** The shards' endpoints together may be too many again: the least requested ones are counted with the others. */
function topEndpoints(shards: readonly Shard[], others: number): StoreMetrics["endpoints"] {
  const sums = new Map<string, number>();
  for (const { endpoints } of shards) {
    for (let index = 0; index + 1 < endpoints.length; index += 2) {
      const name = decodePart(endpoints[index]) ?? OTHER;
      sums.set(name, (sums.get(name) ?? 0) + Number(endpoints[index + 1]));
    }
  }
  const rows = [...sums].map(([endpoint, requests]) => ({ endpoint, requests }));
  rows.sort((left, right) => right.requests - left.requests);
  const shown = rows.slice(0, MAX_ENDPOINTS - 1);
  const rest = others + rows.slice(shown.length).reduce((sum, { requests }) => sum + requests, 0);
  return rest > 0 ? [...shown, { endpoint: OTHER, requests: rest }] : shown;
}

function plus(left: number, right: number): number {
  return left + right;
}
