import {
  applyCommit,
  type Commit,
  type CommitResult,
  type CreateResult,
  equalHashes,
  type ImportedSession,
  type ImportStatus,
  initialState,
  isSessionError,
  lifecycle,
  type NewSession,
  SessionError,
  type SessionRecord,
  type StoreCall,
  type TrackBatch,
  type TrackItem,
} from "@kyb/session-core/store";
import type { ExpressSessions } from "./express-sessions.ts";
import { type HeldSession, hasBatch, heldOf, withBatch, withOpId } from "./held-session.ts";
import { newest, observed } from "./observed.ts";

// What changes one session: it is read, changed by the rules that all stores share, and written. Whoever calls has its turn.

/** Makes a session. */
export async function createSession(
  sessions: ExpressSessions,
  session: NewSession,
  call: StoreCall,
): Promise<CreateResult> {
  const { now } = sessions;
  const existing = await sessions.load(session.id, call);
  if (existing !== undefined) {
    const { state } = existing.record;
    const isSame = equalHashes(state.secretHash, session.secretHash) && state.version === 0;
    if (isSame && lifecycle(existing.record, now) === "live")
      return { status: "created", record: existing.record };
    throw new SessionError("STORE_UNAVAILABLE", "The id of a new session exists already.");
  }
  const record: SessionRecord = {
    state: initialState(session, now),
    lastAccessTime: now,
    lastActivityTime: now,
    requestCount: 0,
    confirmed: false,
    endedAt: undefined,
    endReason: undefined,
  };
  await sessions.write(heldOf(record, []), call);
  if (sessions.settings.metrics) sessions.counters.created(now, sessions.known.size);
  sessions.tell("created", record);
  return { status: "created", record };
}

/** Applies a commit to a live session. */
export async function commitChange(
  sessions: ExpressSessions,
  id: string,
  commit: Commit,
  call: StoreCall,
): Promise<CommitResult> {
  const { change } = commit;
  if (change?.kind === "sign-in" && change.limit !== undefined) throw noUserIndex();
  const held = await sessions.live(id, call);
  if (held === undefined) return { status: "gone" };
  if (held.opIds.includes(commit.opId)) return { status: "applied", record: held.record };
  const { now } = sessions;
  const next = applyCommit(held.record.state, commit, now);
  if (next.status === "conflict") return { status: "conflict", record: held.record };
  if (next.status !== "applied") return next;
  const signedIn = change?.kind === "sign-in";
  const record: SessionRecord = {
    ...held.record,
    state: next.state,
    lastAccessTime: Math.max(held.record.lastAccessTime, signedIn ? now : 0),
    lastActivityTime: Math.max(held.record.lastActivityTime, signedIn ? now : 0),
  };
  await sessions.write(withOpId({ ...held, record }, commit.opId), call);
  if (signedIn) sessions.tell("signed-in", record);
  else if (change !== undefined && change.kind !== "offer") sessions.tell("regenerated", record);
  return { status: "applied", record };
}

/** Notes what a batch has observed of one session. `isNew`: its requests have not been counted yet. */
export async function observe(
  sessions: ExpressSessions,
  id: string,
  { instance, sequence, items }: TrackBatch,
  isNew: boolean,
  call: StoreCall,
): Promise<void> {
  const { settings, now } = sessions;
  const known = await loadReadable(sessions, id, call);
  if (isNew && settings.metrics) count(sessions, items, known?.record.state.userId);
  let held = known === undefined ? undefined : await sessions.liveOf(known, call);
  if (held === undefined || hasBatch(held, instance, sequence)) return;
  const { activityLimit } = settings;
  for (const item of items) held = observed(held, item, { now, activityLimit });
  if (sequence !== 0) held = withBatch(held, instance, sequence);
  await sessions.write(held, call);
}

/** Takes in a session from elsewhere. */
export async function importSession(
  sessions: ExpressSessions,
  { record, entries, over }: ImportedSession,
  call: StoreCall,
): Promise<ImportStatus> {
  const { now, settings } = sessions;
  if (lifecycle(record, now) !== "live") return "gone";
  const existing = (await sessions.load(record.state.id, call))?.record;
  if (existing !== undefined) {
    const { version, epoch } = existing.state;
    const isBehind = version === over && epoch <= record.state.epoch;
    if (!isBehind || lifecycle(existing, now) !== "live") return "exists";
  }
  const kept = newest([...entries].reverse(), settings.activityLimit);
  await sessions.write(heldOf(record, kept), call);
  if (existing === undefined && settings.metrics)
    sessions.counters.imported(now, sessions.known.size);
  return "imported";
}

/** What only an index of users could answer. */
export function noUserIndex(): SessionError {
  return new SessionError(
    "UNSUPPORTED",
    "An express-session store has no index of users: it cannot list, limit or end the sessions of one.",
  );
}

/** A session that cannot be read is left alone: it must not cost the others of the batch their observations. */
async function loadReadable(
  sessions: ExpressSessions,
  id: string,
  call: StoreCall,
): Promise<HeldSession | undefined> {
  try {
    return await sessions.load(id, call);
  } catch (error) {
    if (!isSessionError(error) || error.code !== "RECORD_UNREADABLE") throw error;
    return undefined;
  }
}

function count(
  { counters, now }: ExpressSessions,
  items: readonly TrackItem[],
  userId: string | undefined,
): void {
  for (const { request } of items) {
    if (request !== undefined) counters.request(request, userId, now);
  }
}
