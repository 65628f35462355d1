import { type SessionConfig, SessionManager, type SessionStore } from "@kyb/session-core";

/** What sessions hold here. */
export interface BenchData {
  /** Written by `/write`. */
  mark: number;
}

/**
 * A manager with everything on: metrics, a timeline of 1000 entries, the race contract. Only the limit of sessions is
 * raised, which is 1000 in memory by default.
 */
export function ourManager(
  store?: SessionStore,
  more: Pick<SessionConfig<BenchData>, "flushInterval" | "maxSessions"> = {},
): SessionManager<BenchData> {
  return new SessionManager<BenchData>({
    maxSessions: 10_000_000,
    ...(store === undefined ? {} : { store }),
    ...more,
  });
}

/** Requests that a manager has tracked. */
export async function trackedBy(manager: SessionManager<BenchData>): Promise<number> {
  return (await manager.metrics()).totalRequests;
}

/** Lines in the timeline of one session. */
export async function linesOf(manager: SessionManager<BenchData>, id: string): Promise<number> {
  return (await manager.activity(id, { limit: 1 })).total ?? 0;
}
