import type { ChangeBatch, PendingChanges } from "./changes.ts";
import type { CommitResult, SecretChange } from "./commit.ts";
import { SessionError } from "./errors.ts";
import { createFresh } from "./fresh-session.ts";
import { isPromise } from "./gateway.ts";
import { checkKey, type JsonValue } from "./metadata.ts";
import type { Presence } from "./presence.ts";
import type { SessionState } from "./record.ts";
import { notANumber, sessionEnded, tooLarge, userLimitHit } from "./refusals.ts";
import type { SessionWork } from "./session-work.ts";
import type { MaybePromise } from "./store.ts";

// The writes of one request: each is a commit with the epoch of the request's snapshot, and what the store answers
// decides what the request may still do. They go out one after another: `SessionWork.inTurn`.

/** Attempts of one `update` before it gives up; each failure means that another writer succeeded. */
const MAX_UPDATE_ATTEMPTS = 1000;

/** Stores what is waiting. A session that has ended throws `SESSION_ENDED`. */
export function storeInTurn(work: SessionWork): MaybePromise<void> {
  return work.isDirty ? work.inTurn(() => storeChanges(work)) : undefined;
}

/** As {@link storeInTurn}, for a handler that wants to know: it throws also where nothing can be stored. */
export async function save(work: SessionWork): Promise<void> {
  work.refuseIfFinished();
  await storeInTurn(work);
  work.refuseIfUnavailable();
}

/** Compare and set, again and again until nobody came between. */
export function update(
  work: SessionWork,
  key: string,
  fn: (current: JsonValue | undefined) => unknown,
): Promise<JsonValue | undefined> {
  return work.inTurn(async () => {
    checkKey(key);
    work.refuseIfFinished();
    // The store may have moved on since the snapshot; what it answers is what the next attempt starts from.
    for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt++) {
      await storeChanges(work);
      const op = work.engine.checked(key, fn(work.get(key)), work.view);
      const value = op.kind === "set" ? op.value : undefined;
      const { presence, snapshot: state } = work;
      if (presence === undefined || state === undefined) {
        work.change(op);
        await storeChanges(work);
        return value;
      }
      const batch = { opId: work.engine.opId(), ops: [op] };
      const result = settle(work, await send(work, batch, { compare: true }, presence, state));
      if (result.status === "applied") return value;
      work.take(result.record);
    }
    throw new SessionError(
      "UPDATE_CONFLICT",
      `Others kept changing the session; update("${key}") gave up.`,
    );
  });
}

/** Stores what is waiting, for a caller whose turn it is. */
export function storeChanges(work: SessionWork): MaybePromise<void> {
  const { changes, presence, snapshot: state, absence } = work;
  if (changes === undefined || changes.isEmpty || absence?.kind === "withheld") return;
  if (presence === undefined) {
    if (absence?.kind === "none") return createWithChanges(work, changes);
    return;
  }
  const batch = changes.batch(() => work.engine.opId());
  if (batch === undefined || state === undefined) return;
  const result = send(work, batch, {}, presence, state);
  // What was changed while the store was busy, or out of order, goes next.
  const goOn = (answer: CommitResult): MaybePromise<void> => {
    acknowledge(work, changes, answer);
    return storeChanges(work);
  };
  return isPromise(result) ? result.then(goOn) : goOn(result);
}

/** Sends one commit, as the request knows the session. */
export function send(
  work: SessionWork,
  batch: ChangeBatch,
  how: { readonly change?: SecretChange; readonly compare?: true },
  presence: Presence,
  state: SessionState,
): MaybePromise<CommitResult> {
  const commit = {
    opId: batch.opId,
    epoch: state.epoch,
    secretHash: how.change === undefined ? undefined : presence.secretHash,
    version: how.compare === undefined ? undefined : state.version,
    ops: batch.ops,
    maxMetadataBytes: work.engine.config.maxMetadataBytes,
    change: how.change,
  };
  return work.engine.gateway.call("commit", (store, call) => store.commit(state.id, commit, call));
}

/** Takes over what the store answered, or throws what it means. `userId`: whose session it was to be. */
export function settle(
  work: SessionWork,
  result: CommitResult,
  userId: string | undefined = work.snapshot?.userId,
): Exclude<CommitResult, { status: "gone" | "superseded" | "refused" }> {
  switch (result.status) {
    case "applied":
      work.take(result.record);
      return result;
    case "conflict":
      return result;
    case "gone":
      work.engine.counters.gone += 1;
      work.leave({ kind: "ended" });
      throw sessionEnded();
    case "superseded":
      throw work.supersede();
    case "refused":
      throw refused(work, result, userId);
  }
}

async function createWithChanges(work: SessionWork, changes: PendingChanges): Promise<void> {
  const count = changes.ops.length;
  await createFresh(work, undefined, changes.metadata, changes.bytes);
  work.forget(count);
}

function acknowledge(work: SessionWork, changes: PendingChanges, result: CommitResult): void {
  const { record } = settle(work, result);
  const { metadata, bytes } = changes;
  if (work.snapshot !== record.state) changes.acknowledge(metadata, bytes);
  else changes.acknowledge(record.state.metadata, record.state.metadataBytes);
}

function refused(
  work: SessionWork,
  result: Extract<CommitResult, { status: "refused" }>,
  userId: string | undefined,
): SessionError {
  if (result.limit === "user") {
    work.engine.limitHit("user", userId);
    return userLimitHit();
  }
  // What the store refuses once it refuses again: the changes would fail the rest of the request as well.
  work.discard();
  if (result.limit === "number") return notANumber(result.key);
  work.engine.limitHit("metadata", userId);
  return tooLarge(result.bytes, work.engine.config.maxMetadataBytes);
}
