import {
  applyCommit,
  type Commit,
  type CommitResult,
  type CreateLimits,
  type CreateResult,
  type EndOptions,
  type EndReason,
  type EndResult,
  initialState,
  type NewSession,
  SessionError,
  type SessionRecord,
} from "@kyb/session-core/store";
import { opIdsOf, recordOf, rowOf, type WholeRow } from "./row.ts";
import type { Step } from "./step.ts";
import { encodeText } from "./text.ts";

/** Commits that a session remembers. */
const OP_IDS = 4;

/** Makes a session, if the limits leave room for it. */
export function create(step: Step, session: NewSession, limits: CreateLimits): CreateResult {
  const existing = step.sessions.findWhole(session.id);
  if (existing !== undefined)
    return { status: "created", record: repeated(step, existing, session) };
  const { userId } = session;
  const leaving =
    userId === undefined ? [] : step.overLimit(encodeText(userId), limits.user, undefined);
  if (leaving === undefined) return { status: "refused", limit: "user" };
  const { maxSessions } = limits;
  if (maxSessions !== undefined && !step.makeRoom(maxSessions, leaving.length)) {
    return { status: "refused", limit: "sessions" };
  }
  for (const row of leaving) step.end(row, "limit");

  const { now } = step;
  const record: SessionRecord = {
    state: initialState(session, now),
    lastAccessTime: now,
    lastActivityTime: now,
    requestCount: 0,
    confirmed: false,
    endedAt: undefined,
    endReason: undefined,
  };
  step.sessions.add(rowOf(record, []));
  if (step.settings.metrics) {
    step.totals.add("created", 1);
    step.counts.started(now);
  }
  step.tell("created", session.id, userId);
  return { status: "created", record };
}

/** Applies a change to a live session. */
export function commit(step: Step, id: string, change: Commit): CommitResult {
  const row = step.live(step.sessions.findWhole(id));
  if (row === undefined) return { status: "gone" };
  const record = recordOf(row);
  const opIds = opIdsOf(row);
  if (opIds.includes(change.opId)) return { status: "applied", record };
  const transition = applyCommit(record.state, change, step.now);
  if (transition.status === "conflict") return { status: "conflict", record };
  if (transition.status !== "applied") return transition;

  let next: SessionRecord = { ...record, state: transition.state };
  const kind = change.change?.kind;
  if (change.change?.kind === "sign-in") {
    const { userId, limit } = change.change;
    const leaving = step.overLimit(encodeText(userId), limit, id);
    if (leaving === undefined) return { status: "refused", limit: "user" };
    for (const other of leaving) step.end(other, "limit");
    // Both timeouts start again, and the idle one runs from here.
    next = {
      ...next,
      lastAccessTime: Math.max(record.lastAccessTime, step.now),
      lastActivityTime: Math.max(record.lastActivityTime, step.now),
    };
  }
  step.sessions.update(row, rowOf(next, [change.opId, ...opIds].slice(0, OP_IDS), row));
  if (kind === "sign-in") step.tell("signed-in", id, next.state.userId);
  else if (kind !== undefined && kind !== "offer") step.tell("regenerated", id, next.state.userId);
  return { status: "applied", record: next };
}

/** Ends a live session, also one that cannot be read. */
export function end(step: Step, id: string, reason: EndReason, { epoch }: EndOptions): EndResult {
  const row = step.live(step.sessions.find(id));
  if (row === undefined) return { status: "gone" };
  if (epoch !== undefined && epoch !== row.epoch) return { status: "superseded" };
  step.end(row, reason);
  return { status: "ended", durable: true };
}

/** Ends all sessions of a user but one; answers whose end was its doing. */
export function endUser(
  step: Step,
  userId: string,
  reason: EndReason,
  except: string | undefined,
): string[] {
  const ended: string[] = [];
  for (const row of step.sessions.ofUser(encodeText(userId), "created_at")) {
    if (row.id === except || step.endIfDue(row)) continue;
    step.end(row, reason);
    ended.push(row.id);
  }
  return ended;
}

/** The record of a session that the same call has made already. Rejects an id that is taken. */
function repeated(step: Step, row: WholeRow, session: NewSession): SessionRecord {
  const record = row.ended_at === null ? recordOf(row) : undefined;
  const isSame =
    record?.state.secretHash === session.secretHash &&
    record.state.version === 0 &&
    !step.endIfDue(row);
  if (record !== undefined && isSame) return record;
  throw new SessionError(
    "STORE_UNAVAILABLE",
    "A new session's id exists already: the source of randomness is broken.",
  );
}
