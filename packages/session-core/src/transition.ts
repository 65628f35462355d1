import type { Commit, MetadataOp, SecretChange } from "./commit.ts";
import {
  EMPTY_METADATA,
  entryBytes,
  type JsonValue,
  jsonBytes,
  type Metadata,
} from "./metadata.ts";
import type { NewSession } from "./new-session.ts";
import { MAX_RETIRED, type RetiredSecret, type SessionState } from "./record.ts";
import { equalHashes } from "./token.ts";

/** What a commit does to a live session, before limits that need other sessions are looked at. */
export type Transition =
  | { readonly status: "applied"; readonly state: SessionState }
  | { readonly status: "superseded" }
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly limit: "metadata"; readonly bytes: number }
  | { readonly status: "refused"; readonly limit: "number"; readonly key: string };

/** The state of a new session; `now` is the store's clock. */
export function initialState(session: NewSession, now: number): SessionState {
  const absoluteEnd = now + session.absoluteTimeout;
  return {
    id: session.id,
    secretHash: session.secretHash,
    transport: session.transport,
    epoch: 0,
    version: 0,
    userId: session.userId,
    ipAddress: session.ipAddress,
    userAgent: session.userAgent,
    createdAt: now,
    secretIssuedAt: now,
    authenticatedAt: session.userId === undefined ? undefined : now,
    idleTimeout: session.idleTimeout,
    absoluteEnd,
    provisionalEnd:
      session.provisionalTimeout === undefined ? undefined : now + session.provisionalTimeout,
    metadata: session.metadata,
    metadataBytes: session.metadataBytes,
    retired: [],
    pending: undefined,
  };
}

/**
 * The rule of the race contract for one change of a live session; pure, and shared by every store that is
 * written in JavaScript. The caller has made sure that the session is live and that nobody comes between.
 */
export function applyCommit(state: SessionState, commit: Commit, now: number): Transition {
  if (commit.epoch !== state.epoch) return { status: "superseded" };
  if (commit.secretHash !== undefined && !holdsSecret(state, commit))
    return { status: "superseded" };
  if (commit.version !== undefined && commit.version !== state.version)
    return { status: "conflict" };

  const kept = keptData(state, commit.change);
  const data = applyOps(kept, commit.ops);
  if (data.status === "refused") return data;
  if (data.bytes > commit.maxMetadataBytes && data.bytes > state.metadataBytes) {
    return { status: "refused", limit: "metadata", bytes: data.bytes };
  }

  const stored = commit.ops.length > 0 || commit.change?.kind === "sign-in";
  const next: SessionState = {
    ...state,
    version: state.version + 1,
    metadata: data.metadata,
    metadataBytes: data.bytes,
    provisionalEnd: stored ? undefined : state.provisionalEnd,
  };
  return { status: "applied", state: changeSecret(next, commit.change, now) };
}

function holdsSecret(state: SessionState, commit: Commit): boolean {
  const held = commit.change?.kind === "promote" ? state.pending?.hash : state.secretHash;
  return (
    held !== undefined && commit.secretHash !== undefined && equalHashes(held, commit.secretHash)
  );
}

function changeSecret(
  state: SessionState,
  change: SecretChange | undefined,
  now: number,
): SessionState {
  switch (change?.kind) {
    case undefined:
      return state;
    case "sign-in":
      return {
        ...state,
        epoch: state.epoch + 1,
        userId: change.userId,
        authenticatedAt: now,
        idleTimeout: change.idleTimeout,
        absoluteEnd: now + change.absoluteTimeout,
        ...replaceSecret(state, change.secretHash, "sign-in", now),
      };
    case "regenerate":
      return {
        ...state,
        epoch: state.epoch + 1,
        ...replaceSecret(state, change.secretHash, "regenerated", now),
      };
    case "offer":
      if (state.pending !== undefined) return state;
      return { ...state, pending: { hash: change.secretHash, nonce: change.nonce, at: now } };
    case "promote":
      if (state.pending === undefined) return state;
      return { ...state, ...replaceSecret(state, state.pending.hash, "rotated", now) };
  }
}

function replaceSecret(
  state: SessionState,
  secretHash: string,
  kind: RetiredSecret["kind"],
  now: number,
): Pick<SessionState, "secretHash" | "secretIssuedAt" | "retired" | "pending"> {
  const retired: RetiredSecret[] = [{ hash: state.secretHash, at: now, kind }];
  // A successor that was offered and never presented may be on its way to the client: it dies with the secret
  // that it was to replace, and its late arrival must not cost the client the new cookie.
  if (state.pending !== undefined && kind !== "rotated") {
    retired.push({ hash: state.pending.hash, at: now, kind });
  }
  // Rotated predecessors lose their grace when the secret changes at once (contract, rule 4: dead at once).
  for (const old of state.retired) {
    retired.push(kind === "rotated" || old.kind !== "rotated" ? old : { ...old, kind, at: now });
  }
  return {
    secretHash,
    secretIssuedAt: now,
    retired: retired.slice(0, MAX_RETIRED),
    pending: undefined,
  };
}

interface Data {
  readonly status: "data";
  readonly metadata: Metadata;
  readonly bytes: number;
}

function keptData(state: SessionState, change: SecretChange | undefined): Data {
  const all: Data = { status: "data", metadata: state.metadata, bytes: state.metadataBytes };
  if (change?.kind !== "sign-in" || change.keep === true) return all;
  const metadata: Record<string, JsonValue> = Object.create(null);
  let bytes = 0;
  for (const key of new Set(change.keep)) {
    const value = state.metadata[key];
    if (value === undefined) continue;
    metadata[key] = value;
    bytes += entryBytes(key, jsonBytes(value));
  }
  return { status: "data", metadata, bytes };
}

/** Applies changes in order. All or none. `bytes` counts keys and values as JSON. */
export function applyOps(
  data: Pick<Data, "metadata" | "bytes">,
  ops: readonly MetadataOp[],
): Data | { readonly status: "refused"; readonly limit: "number"; readonly key: string } {
  if (ops.length === 0) return { status: "data", ...data };
  const metadata: Record<string, JsonValue> = Object.assign(Object.create(null), data.metadata);
  let { bytes } = data;
  for (const op of ops) {
    const old = metadata[op.key];
    const oldBytes = old === undefined ? 0 : entryBytes(op.key, jsonBytes(old));
    if (op.kind === "delete") {
      delete metadata[op.key];
      bytes -= oldBytes;
      continue;
    }
    if (op.kind === "set") {
      metadata[op.key] = op.value;
      bytes += entryBytes(op.key, op.bytes) - oldBytes;
      continue;
    }
    const sum = (old ?? 0) as JsonValue;
    if (typeof sum !== "number" || !Number.isFinite(sum + op.by)) {
      return { status: "refused", limit: "number", key: op.key };
    }
    metadata[op.key] = sum + op.by;
    bytes += entryBytes(op.key, jsonBytes(sum + op.by)) - oldBytes;
  }
  return {
    status: "data",
    metadata: bytes === 0 ? EMPTY_METADATA : Object.freeze(metadata),
    bytes,
  };
}
