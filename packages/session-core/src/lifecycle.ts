import type { SessionRecord } from "./record.ts";

/** Where a session stands. The three in the middle are due: over, but not yet ended in the store. */
export type Lifecycle = "live" | "idle" | "absolute" | "provisional" | "ended";

/** Whether a session is provisional: anonymous, nothing ever stored in it, and its token has not come back. */
export function isProvisional(record: SessionRecord): boolean {
  return record.state.provisionalEnd !== undefined && !record.confirmed;
}

/** The moment a live session falls due if nothing more happens, epoch milliseconds. */
export function deadline(record: SessionRecord): number {
  const { state } = record;
  const soft = isProvisional(record)
    ? (state.provisionalEnd ?? state.absoluteEnd)
    : record.lastActivityTime + state.idleTimeout;
  return Math.min(soft, state.absoluteEnd);
}

/**
 * The one rule for expiry (R-22; ASVS 7.3.1, 7.3.2). A session is over at its deadline, not one millisecond
 * after it. Both limits are checked here, whatever the store's own expiry does.
 */
export function lifecycle(record: SessionRecord, now: number): Lifecycle {
  if (record.endedAt !== undefined) return "ended";
  if (now < deadline(record)) return "live";
  if (now >= record.state.absoluteEnd) return "absolute";
  return isProvisional(record) ? "provisional" : "idle";
}
