import type { Presented } from "./credentials.ts";
import type { Engine } from "./engine.ts";
import { isPromise } from "./gateway.ts";
import { lifecycle } from "./lifecycle.ts";
import type { SessionRecord, SessionState } from "./record.ts";
import type { MaybePromise } from "./store.ts";
import { offerSuccessor, promote } from "./successor.ts";
import { equalHashes, matchSecret, RETIRED_MEMORY, type Token } from "./token.ts";
import type { RequestVisit } from "./visit.ts";

/** How often a token is judged: one find, one promotion, and one change by somebody else between them. */
const MAX_ATTEMPTS = 3;

/** What a token is to the sessions: `retired` is dead, but so recently that its client gets no new one either. */
export type Recognition = "known" | "retired" | "unknown";

/**
 * Tries a token; the visit of a known client has its session afterwards.
 *
 * Nearly every request brings the current secret of a live session, and costs no promise where the store answers at once.
 */
export function recognize(visit: RequestVisit, presented: Presented): MaybePromise<Recognition> {
  const { engine } = visit;
  const { id, secret } = presented.token;
  const hash = engine.sha256(secret);
  const found = find(engine, id);
  if (isPromise(found)) {
    return found.then((record) => identify(visit, presented, hash, record, engine.now()));
  }
  return identify(visit, presented, hash, found, visit.openedAt);
}

function identify(
  visit: RequestVisit,
  presented: Presented,
  hash: string,
  record: SessionRecord | undefined,
  now: number,
): MaybePromise<Recognition> {
  const isUsual =
    record !== undefined &&
    record.state.transport === presented.transport &&
    equalHashes(record.state.secretHash, hash) &&
    lifecycle(record, now) === "live";
  if (!isUsual) return judge(visit, presented, hash, record);
  const touched = adopt(visit, record, hash, false);
  if (!isPromise(touched) && visit.engine.config.regenerateEvery === undefined) return "known";
  return known(visit, touched, presented.token);
}

/** Finds out about a token that is not simply the current one of a live session. */
async function judge(
  visit: RequestVisit,
  { token, transport }: Presented,
  hash: string,
  found: SessionRecord | undefined,
): Promise<Recognition> {
  const { engine } = visit;
  let record = found;
  // Again where the secret changed between two answers of the store. Who presents it is judged by the very state
  // that is adopted: a record may have moved on to that of a user who signed in meanwhile.
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (record === undefined || record.state.transport !== transport) break;
    const { state } = record;
    if (record.endedAt !== undefined) {
      if (!isFreshlyEnded(record, hash, engine.now())) break;
      return "retired";
    }
    const match = matchSecret(state, hash, engine.now(), engine.config.regenerationGrace);
    if (match === "unknown") break;
    if (match === "retired") return "retired";
    if (lifecycle(record, engine.now()) !== "live") {
      // Only the store can say that it is over: a touch may be on its way.
      const live = await engine.gateway.call("end", (store, call) =>
        store.endIfDue(state.id, call),
      );
      if (live === undefined) return "unknown";
      record = live;
      if (!equalHashes(live.state.secretHash, state.secretHash)) continue;
    }
    if (match === "reused") {
      await endReused(visit, state);
      return "unknown";
    }
    if (match === "pending") {
      record = (await promote(engine, state, hash)) ?? (await find(engine, token.id));
      continue;
    }
    const touched = adopt(visit, record, hash, match === "grace");
    return known(visit, touched, match === "current" ? token : undefined);
  }
  engine.unknownToken(visit.facts);
  return "unknown";
}

/** Gives the visit its session, and tells the store. */
function adopt(
  visit: RequestVisit,
  record: SessionRecord,
  secretHash: string,
  grace: boolean,
): MaybePromise<void> {
  visit.work.adopt({ record, secretHash, grace });
  return visit.touch(record);
}

/** `offerTo`: the token that a successor may follow. */
async function known(
  visit: RequestVisit,
  touched: MaybePromise<void>,
  offerTo: Token | undefined,
): Promise<Recognition> {
  await touched;
  if (offerTo !== undefined) await offerSuccessor(visit, offerTo);
  return "known";
}

function find(engine: Engine, id: string): MaybePromise<SessionRecord | undefined> {
  return engine.gateway.call("find", (store, call) => store.find(id, call));
}

/** The client of a session that has just ended may have requests under way; none of them starts a new one. */
function isFreshlyEnded(record: SessionRecord, hash: string, now: number): boolean {
  const { state, endedAt } = record;
  if (endedAt === undefined || now - endedAt >= RETIRED_MEMORY) return false;
  // Its offered successor may have reached the client after the end did.
  const own = [
    state.secretHash,
    ...state.retired.map((old) => old.hash),
    state.pending?.hash ?? "",
  ];
  return own.some((known) => equalHashes(known, hash));
}

/** A predecessor came back after its grace. Whoever holds it, the session is not safe any more. */
async function endReused(visit: RequestVisit, state: SessionState): Promise<void> {
  const { engine } = visit;
  const result = await engine.gateway.call("end", (store, call) =>
    store.end(state.id, "reuse", {}, call),
  );
  if (result.status !== "ended") return;
  engine.events.emit("reused", {
    sessionId: state.id,
    userId: state.userId,
    at: engine.now(),
    ipAddress: visit.facts.address,
  });
}
