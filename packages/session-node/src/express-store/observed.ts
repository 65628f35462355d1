import type { ActivityEntry, TrackItem } from "@kyb/session-core/store";
import { type HeldSession, MAX_ENTRIES } from "./held-session.ts";

/** What one observation makes of a live session: times only move forward. */
export function observed(
  held: HeldSession,
  item: TrackItem,
  { now, activityLimit }: { readonly now: number; readonly activityLimit: number },
): HeldSession {
  const { record } = held;
  const time = item.seenAt <= now ? item.seenAt : Math.min(item.seenAt, record.state.absoluteEnd);
  const next = {
    ...record,
    lastAccessTime: item.access ? Math.max(record.lastAccessTime, time) : record.lastAccessTime,
    lastActivityTime: item.active
      ? Math.max(record.lastActivityTime, time)
      : record.lastActivityTime,
    requestCount: record.requestCount + (item.request === undefined ? 0 : 1),
    confirmed: record.confirmed || item.confirm,
  };
  if (item.entry === undefined) return { ...held, record: next };
  return {
    ...held,
    record: next,
    position: held.position + 1,
    entries: newest([...held.entries, item.entry], activityLimit),
  };
}

/** The entries that are kept of these, which stand oldest first. */
export function newest(
  entries: readonly ActivityEntry[],
  activityLimit: number,
): readonly ActivityEntry[] {
  const kept = Math.min(activityLimit, MAX_ENTRIES);
  return kept === 0 ? [] : entries.slice(-kept);
}
