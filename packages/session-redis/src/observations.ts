import { DURATION_BUCKETS, type TrackItem } from "@kyb/session-core/store";
import { formatEntry } from "./activity-entry.ts";
import { encodePart, encodeText } from "./text-code.ts";

/** What a batch says of one session, added up: times only move forward, so the latest says it all. */
interface Observation {
  accessedAt: number | undefined;
  activeAt: number | undefined;
  confirms: boolean;
  requests: number;
  readonly entries: string[];
}

/** Turns the items of one shard into the arguments of the script that records them. */
export function trackArguments(items: readonly TrackItem[]): (string | number)[] {
  const sessions = new Map<string, Observation>();
  const counts = new Map<string, number>();
  const endpoints = new Map<string, number>();
  let requests = 0;
  for (const item of items) {
    const observed = observationOf(sessions, item.id);
    // Whole milliseconds, so that sums of times are exact.
    const seenAt = Math.floor(item.seenAt);
    if (item.access) observed.accessedAt = Math.max(observed.accessedAt ?? seenAt, seenAt);
    if (item.active) observed.activeAt = Math.max(observed.activeAt ?? seenAt, seenAt);
    observed.confirms ||= item.confirm;
    if (item.entry !== undefined) observed.entries.push(formatEntry(item.entry));
    const { request } = item;
    if (request === undefined) continue;
    observed.requests++;
    requests++;
    add(counts, `s${statusClass(request.statusCode)}`);
    add(counts, `d${durationBucket(request.duration)}`);
    add(endpoints, encodePart(request.endpoint));
  }
  const args: (string | number)[] = [requests];
  for (const map of [counts, endpoints]) {
    args.push(map.size);
    for (const [name, count] of map) args.push(name, count);
  }
  args.push(sessions.size);
  for (const [id, { accessedAt, activeAt, confirms, requests, entries }] of sessions) {
    args.push(encodeText(id), accessedAt ?? "-", activeAt ?? "-", confirms ? 1 : 0, requests);
    args.push(entries.length, ...entries);
  }
  return args;
}

function observationOf(sessions: Map<string, Observation>, id: string): Observation {
  const known = sessions.get(id);
  if (known !== undefined) return known;
  const observed = {
    accessedAt: undefined,
    activeAt: undefined,
    confirms: false,
    requests: 0,
    entries: [],
  };
  sessions.set(id, observed);
  return observed;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function statusClass(statusCode: number): number {
  const hundreds = Math.floor(statusCode / 100);
  return hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
}

/** A bucket holds what is up to and including its bound; the last one what lies beyond all bounds. */
function durationBucket(duration: number): number {
  const bucket = DURATION_BUCKETS.findIndex((bound) => duration <= bound);
  return bucket === -1 ? DURATION_BUCKETS.length : bucket;
}
