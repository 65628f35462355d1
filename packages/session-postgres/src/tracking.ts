import { DURATION_BUCKETS, type RequestSample, type TrackBatch } from "@kyb/session-core/store";
import { encodeText } from "./stored-text.ts";

/** What a batch says of one session. */
interface Observed {
  access: number | null;
  active: number | null;
  confirm: boolean;
  requests: number;
  readonly entries: (readonly [at: number, json: string])[];
}

/** Numbers in the counters' list of requests: all, six classes of status, then the durations. */
const CLASSES = 1;
const DURATIONS: number = CLASSES + 6;
export const REQUEST_COUNTS: number = DURATIONS + DURATION_BUCKETS.length + 1;

/** A batch as `track` takes it: one line for each session, one for each endpoint, and sums. */
export function batchText(batch: TrackBatch, activityLimit: number, metrics: boolean): string {
  const sessions = new Map<string, Observed>();
  const endpoints = new Map<string, number>();
  const counts = new Array<number>(REQUEST_COUNTS).fill(0);
  for (const item of batch.items) {
    const observed = sessions.get(item.id) ?? unseen();
    sessions.set(item.id, observed);
    if (item.access) observed.access = Math.max(observed.access ?? item.seenAt, item.seenAt);
    if (item.active) observed.active = Math.max(observed.active ?? item.seenAt, item.seenAt);
    observed.confirm ||= item.confirm;
    if (item.request !== undefined) {
      observed.requests++;
      count(item.request, counts);
      const { endpoint } = item.request;
      endpoints.set(endpoint, (endpoints.get(endpoint) ?? 0) + 1);
    }
    if (item.entry !== undefined && activityLimit > 0)
      observed.entries.push([item.entry.timestamp, JSON.stringify(item.entry)]);
  }
  return JSON.stringify({
    instance: encodeText(batch.instance),
    sequence: batch.sequence,
    metrics,
    activityLimit,
    items: [...sessions].map(([id, { access, active, confirm, requests, entries }]) => [
      id,
      access,
      active,
      confirm,
      requests,
      entries.length,
    ]),
    entries: [...sessions].flatMap(([id, { entries }]) =>
      entries
        .map(([at, json], place) => [id, place, at, json] as const)
        .slice(Math.max(0, entries.length - activityLimit)),
    ),
    endpoints: [...endpoints].map(([endpoint, requests]) => [encodeText(endpoint), requests]),
    counts,
  });
}

/** The sums out of the counters' list of requests. */
export function requestSums(counts: readonly number[]): {
  readonly total: number;
  readonly byStatusClass: readonly number[];
  readonly durations: readonly number[];
} {
  const all = Array.from({ length: REQUEST_COUNTS }, (_, index) => counts[index] ?? 0);
  return {
    total: all[0] ?? 0,
    byStatusClass: all.slice(CLASSES, DURATIONS),
    durations: all.slice(DURATIONS),
  };
}

function unseen(): Observed {
  return { access: null, active: null, confirm: false, requests: 0, entries: [] };
}

function count({ statusCode, duration }: RequestSample, counts: number[]): void {
  const hundreds = Math.floor(statusCode / 100);
  const statusClass = hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
  const found = DURATION_BUCKETS.findIndex((bound) => duration <= bound);
  const bucket = found === -1 ? DURATION_BUCKETS.length : found;
  for (const index of [0, CLASSES + statusClass, DURATIONS + bucket]) {
    counts[index] = (counts[index] ?? 0) + 1;
  }
}
