import type { MetadataOp } from "./commit.ts";
import { describe } from "./duration.ts";
import { SessionError } from "./errors.ts";
import { handOut, makeFresh, takeUp } from "./fresh-session.ts";
import { checkKey, EMPTY_METADATA, jsonBytes, type Metadata } from "./metadata.ts";
import type { Presence } from "./presence.ts";
import { noCookies, notANumber, superseded, tooLarge } from "./refusals.ts";
import type { RevokeResult } from "./session.ts";
import type { SessionWork } from "./session-work.ts";
import { send, settle, storeChanges } from "./session-writes.ts";
import type { Token } from "./token.ts";
import { applyOps } from "./transition.ts";

// What changes whose session it is, or its secret: sign-in, sign-out, regeneration. Each is one write to the store; only
// after the store has answered is a new secret handed out.

/** Longest user id. */
export const MAX_USER_ID = 256;

/** What a sign-in carries over and adds; see `SignInOptions`. */
export interface SignInRequest {
  readonly keep?: true | readonly string[];
  readonly metadata?: object;
}

/** There was nothing to end, and so nothing that could be lost. */
export const NONE_ENDED: RevokeResult = Object.freeze({ ended: 0, durable: true });

interface SignInData {
  readonly keep: true | readonly string[];
  /** How many pending changes the sign-in takes along or drops. */
  readonly pending: number;
  /** For a session that stays. */
  readonly ops: readonly MetadataOp[];
  /** For a session that is made. */
  readonly metadata: Metadata;
  readonly bytes: number;
}

/** Makes this the session of a user, or gives the user one of its own where this one may not be taken on. */
export function signIn(work: SessionWork, userId: string, request: SignInRequest): Promise<void> {
  return work.inTurn(async () => {
    checkSignIn(userId, request);
    work.refuseIfFinished();
    work.refuseIfSealed();
    work.refuseIfUnavailable();
    // Under their own number, so that the store tells whether it has them: with the sign-in they would count twice.
    if (work.changes?.isInDoubt === true) await storeChanges(work);
    refuseOtherTransports(work);
    const data = signInData(work, userId, request);
    const { presence, snapshot: state } = work;
    const mayTakeOn = state?.userId === undefined || state.userId === userId;
    if (presence === undefined || state === undefined || presence.grace || !mayTakeOn) {
      return signInFresh(work, userId, data);
    }
    const { config, random, sha256 } = work.engine;
    const token = { id: state.id, secret: random.secret() };
    const change = {
      kind: "sign-in",
      secretHash: sha256(token.secret),
      userId,
      keep: data.keep,
      idleTimeout: config.sessionTimeout,
      absoluteTimeout: config.absoluteTimeout,
      limit: config.userLimit,
    } as const;
    const result = await send(
      work,
      { opId: work.engine.opId(), ops: data.ops },
      { change },
      presence,
      state,
    );
    if (result.status === "gone") {
      // The anonymous session fell due or had to make room meanwhile; the user's proof is as good without it.
      work.lack({ kind: "none" });
      return signInFresh(work, userId, data);
    }
    const { record } = settle(work, result, userId);
    await changeSecret(work, token, { record, secretHash: change.secretHash }, data.pending);
  });
}

/** Ends the session and clears the cookie. */
export function signOut(work: SessionWork): Promise<RevokeResult> {
  return work.inTurn(async () => {
    const { snapshot: state } = work;
    if (work.presence === undefined || state === undefined) {
      work.refuseIfUnavailable();
      // The session lives on, as another request's: to say nothing would look like a sign-out.
      if (work.absence?.kind === "superseded") throw superseded();
      return NONE_ENDED;
    }
    const result = await work.engine.gateway.call("end", (store, call) =>
      store.end(state.id, "signed-out", { epoch: state.epoch }, call),
    );
    if (result.status === "superseded") throw work.supersede();
    work.endedBy("signed-out");
    if (state.transport === "cookie" && !work.cookies.isSealed) work.cookies.clear();
    return result.status === "ended" ? { ended: 1, durable: result.durable } : NONE_ENDED;
  });
}

/** Gives the session a new secret at once. */
export function regenerate(work: SessionWork): Promise<void> {
  return work.inTurn(async () => {
    work.refuseIfFinished();
    work.refuseIfUnavailable();
    await storeChanges(work);
    const { presence, snapshot: state } = work;
    if (presence === undefined || state === undefined) {
      work.refuseIfOver();
      return;
    }
    // It may still read and write; only the secret is not its own to change.
    if (presence.grace) throw superseded();
    refuseOtherTransports(work);
    work.refuseIfSealed();
    const token = { id: state.id, secret: work.engine.random.secret() };
    const change = { kind: "regenerate", secretHash: work.engine.sha256(token.secret) } as const;
    const result = await send(
      work,
      { opId: work.engine.opId(), ops: [] },
      { change },
      presence,
      state,
    );
    const { record } = settle(work, result);
    await changeSecret(work, token, { record, secretHash: change.secretHash }, 0);
  });
}

/** A session whose token travels otherwise would lose its client with a new secret. */
function refuseOtherTransports(work: SessionWork): void {
  if (work.presence !== undefined && work.snapshot?.transport !== "cookie") throw noCookies();
}

/** Signs in with a session of its own: there is none, or none that this client may take on. */
async function signInFresh(work: SessionWork, userId: string, data: SignInData): Promise<void> {
  const { presence, snapshot: before } = work;
  const made = await makeFresh(work, userId, data.metadata, data.bytes);
  if (presence?.grace === false && before !== undefined && !work.isAnswered) {
    // One browser, one user: the session of the user before is over. That comes before the new secret is handed out, so
    // that a failure leaves the client who it was; and what was signed in meanwhile is not this request's to end.
    await work.engine.gateway.call("end", (store, call) =>
      store.end(before.id, "signed-out", { epoch: before.epoch }, call),
    );
  }
  await takeUp(work, made);
  work.forget(data.pending);
}

/** The store has replaced the secret. */
async function changeSecret(
  work: SessionWork,
  token: Token,
  changed: Omit<Presence, "grace">,
  pending: number,
): Promise<void> {
  work.adopt({ ...changed, grace: false });
  work.forget(pending);
  await handOut(work, token);
}

function signInData(work: SessionWork, userId: string, request: SignInRequest): SignInData {
  const isSameUser = work.presence !== undefined && work.snapshot?.userId === userId;
  const keep = request.keep ?? (isSameUser ? true : []);
  const isKept = (key: string): boolean => keep === true || keep.includes(key);
  const added = Object.entries(request.metadata ?? {}).map(([key, value]) => {
    checkKey(key);
    return work.engine.checked(key, value, EMPTY_METADATA);
  });
  const isOver = work.absence?.kind === "ended" || work.absence?.kind === "superseded";
  const kept = Object.entries(isOver ? EMPTY_METADATA : work.view).filter(([key]) => isKept(key));
  const carried = kept.map(
    ([key, value]): MetadataOp => ({ kind: "set", key, value, bytes: jsonBytes(value) }),
  );
  const fresh = applyOps({ metadata: EMPTY_METADATA, bytes: 0 }, [...carried, ...added]);
  // Only increments can be refused, and there are none.
  if (fresh.status === "refused") throw notANumber(fresh.key);
  const { maxMetadataBytes } = work.engine.config;
  if (fresh.bytes > maxMetadataBytes) throw tooLarge(fresh.bytes, maxMetadataBytes);
  const pendingOps = work.changes?.ops ?? [];
  return {
    keep,
    pending: pendingOps.length,
    ops: [...pendingOps.filter((op) => isKept(op.key)), ...added],
    metadata: fresh.metadata,
    bytes: fresh.bytes,
  };
}

function checkSignIn(userId: unknown, request: unknown): void {
  if (typeof userId !== "string" || userId === "" || userId.length > MAX_USER_ID) {
    throw new SessionError(
      "INVALID_ARGUMENT",
      `signIn needs a user id, a text of 1 to ${MAX_USER_ID} characters, got ${describe(userId)}.`,
    );
  }
  if (typeof request !== "object" || request === null) {
    throw new SessionError(
      "INVALID_ARGUMENT",
      "signIn takes (userId, { keep, metadata }) and no callback: write `await session.signIn(userId)`.",
    );
  }
  const { keep = [], metadata = {}, ...unknown } = request as Readonly<Record<string, unknown>>;
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) {
    throw new SessionError("INVALID_ARGUMENT", `signIn has no option "${stray}".`);
  }
  const isList = Array.isArray(keep) && keep.every((key) => typeof key === "string");
  if (keep !== true && !isList) {
    throw new SessionError("INVALID_ARGUMENT", "keep must be true or a list of keys.");
  }
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    const got = describe(metadata);
    throw new SessionError("INVALID_ARGUMENT", `metadata must be an object, got ${got}.`);
  }
}
