import type { Engine } from "./engine.ts";
import type { SessionRecord, SessionState } from "./record.ts";
import { equalHashes, type Token } from "./token.ts";
import type { RequestVisit } from "./visit.ts";

// Regeneration by time. The successor of a secret follows from the secret, which only the client has, and a nonce, which
// only the store has: so parallel requests and repeated answers all carry the same one, and the store still keeps no secret.

/** Offers the client a successor of its secret, again with each answer until it comes back. */
export async function offerSuccessor(visit: RequestVisit, token: Token): Promise<void> {
  const { engine } = visit;
  const { regenerateEvery } = engine.config;
  const state = visit.work.snapshot;
  if (regenerateEvery === undefined || state?.transport !== "cookie") return;
  if (state.pending === undefined && engine.now() - state.secretIssuedAt < regenerateEvery) return;
  const nonce = state.pending?.nonce ?? engine.random.secret();
  if (state.pending !== undefined) {
    visit.cookies.issue(
      { id: state.id, secret: successor(engine, token, nonce) },
      state,
      engine.now(),
    );
    return;
  }
  const commit = {
    opId: engine.opId(),
    epoch: state.epoch,
    secretHash: state.secretHash,
    version: undefined,
    ops: [],
    maxMetadataBytes: engine.config.maxMetadataBytes,
    change: { kind: "offer", secretHash: engine.sha256(successor(engine, token, nonce)), nonce },
  } as const;
  const result = await engine.gateway.call("commit", (store, call) =>
    store.commit(state.id, commit, call),
  );
  // Another request was faster with a sign-in or an end: it has the say, and this one finds out when it writes.
  if (result.status !== "applied") return;
  const { state: next } = result.record;
  // Or it was faster after this offer, in a store whose records move on.
  if (!equalHashes(next.secretHash, state.secretHash)) return;
  visit.work.adopt({ record: result.record, secretHash: state.secretHash, grace: false });
  const offered = next.pending?.nonce;
  if (offered === undefined) return;
  visit.cookies.issue(
    { id: next.id, secret: successor(engine, token, offered) },
    next,
    engine.now(),
  );
}

/** The successor has arrived at the client: it is the secret now, and its predecessor's grace begins. */
export async function promote(
  engine: Engine,
  state: SessionState,
  secretHash: string,
): Promise<SessionRecord | undefined> {
  const commit = {
    opId: engine.opId(),
    epoch: state.epoch,
    secretHash,
    version: undefined,
    ops: [],
    maxMetadataBytes: engine.config.maxMetadataBytes,
    change: { kind: "promote" },
  } as const;
  const result = await engine.gateway.call("commit", (store, call) =>
    store.commit(state.id, commit, call),
  );
  return result.status === "applied" ? result.record : undefined;
}

function successor(engine: Engine, token: Token, nonce: string): string {
  return engine.sha256(`${token.secret}.${nonce}`);
}
