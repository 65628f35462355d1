import type { Commit, JsonValue, NewSession, RetiredSecret, SessionState } from "../contract.ts";

/**
 * The race contract said once more, and differently from the core: a store may use the core's own rules, and a
 * check that shared them would agree with their mistakes.
 */

/** The state of a session that was just made. Sizes are left out: the cases check them. */
export function modelOfNew(session: NewSession, at: number): SessionState {
  const { id, secretHash, transport, userId, ipAddress, userAgent, idleTimeout, metadata } =
    session;
  const { provisionalTimeout } = session;
  return {
    id,
    secretHash,
    transport,
    epoch: 0,
    version: 0,
    userId,
    ipAddress,
    userAgent,
    createdAt: at,
    secretIssuedAt: at,
    authenticatedAt: userId === undefined ? undefined : at,
    idleTimeout,
    absoluteEnd: at + session.absoluteTimeout,
    provisionalEnd: provisionalTimeout === undefined ? undefined : at + provisionalTimeout,
    metadata,
    metadataBytes: 0,
    retired: [],
    pending: undefined,
  };
}

/** Why this state must not take this commit. */
export function objection(
  state: SessionState,
  { epoch, secretHash, version, change }: Commit,
): "superseded" | "conflict" | undefined {
  if (epoch !== state.epoch) return "superseded";
  const presented = change?.kind === "promote" ? state.pending?.hash : state.secretHash;
  if (secretHash !== undefined && secretHash !== presented) return "superseded";
  return version === undefined || version === state.version ? undefined : "conflict";
}

/** The state after a commit that nothing speaks against. */
export function modelAfter(state: SessionState, commit: Commit, at: number): SessionState {
  const { change } = commit;
  const isSignIn = change?.kind === "sign-in";
  const next: { -readonly [Key in keyof SessionState]: SessionState[Key] } = {
    ...state,
    version: state.version + 1,
    metadata: dataAfter(state, commit),
    provisionalEnd: commit.ops.length > 0 || isSignIn ? undefined : state.provisionalEnd,
  };
  if (change === undefined) return next;
  if (change.kind === "offer") {
    next.pending ??= { hash: change.secretHash, nonce: change.nonce, at };
    return next;
  }
  const kind = isSignIn ? "sign-in" : change.kind === "promote" ? "rotated" : "regenerated";
  const secretHash = change.kind === "promote" ? state.pending?.hash : change.secretHash;
  const dead = [state.secretHash];
  if (change.kind !== "promote") {
    next.epoch += 1;
    if (state.pending !== undefined) dead.push(state.pending.hash);
  }
  const older = state.retired.map(
    (old): RetiredSecret =>
      kind !== "rotated" && old.kind === "rotated" ? { hash: old.hash, at, kind } : old,
  );
  const newest = dead.map((hash): RetiredSecret => ({ hash, at, kind }));
  next.retired = [...newest, ...older].slice(0, 4);
  next.pending = undefined;
  next.secretHash = secretHash ?? state.secretHash;
  next.secretIssuedAt = at;
  if (isSignIn) {
    next.userId = change.userId;
    next.authenticatedAt = at;
    next.idleTimeout = change.idleTimeout;
    next.absoluteEnd = at + change.absoluteTimeout;
  }
  return next;
}

function dataAfter(state: SessionState, { ops, change }: Commit): Record<string, JsonValue> {
  const data = new Map(Object.entries(state.metadata));
  if (change?.kind === "sign-in" && change.keep !== true) {
    for (const key of data.keys()) if (!change.keep.includes(key)) data.delete(key);
  }
  for (const op of ops) {
    if (op.kind === "set") data.set(op.key, op.value);
    else if (op.kind === "delete") data.delete(op.key);
    else data.set(op.key, Number(data.get(op.key) ?? 0) + op.by);
  }
  return Object.fromEntries(data);
}

/** The same text for the same state, whatever order its keys are in. */
export function stateText(state: SessionState): string {
  const { metadata, metadataBytes: _, retired, pending, ...rest } = state;
  return JSON.stringify([
    sorted({ ...rest }),
    sorted({ ...metadata }),
    retired.map(({ hash, at, kind }) => [hash, at, kind]),
    pending && [pending.hash, pending.nonce, pending.at],
  ]);
}

function sorted(values: Record<string, unknown>): unknown[] {
  return Object.keys(values)
    .sort()
    .filter((key) => values[key] !== undefined)
    .map((key) => [key, values[key]]);
}
