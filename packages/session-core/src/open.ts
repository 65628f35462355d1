import type { ConnectionInfo, RequestHead } from "./client.ts";
import { readCredentials } from "./credentials.ts";
import type { Engine } from "./engine.ts";
import { isOutage, isSessionError, SessionError } from "./errors.ts";
import type { WithheldReason } from "./events.ts";
import { createFresh } from "./fresh-session.ts";
import { lifecycle } from "./lifecycle.ts";
import { EMPTY_METADATA } from "./metadata.ts";
import type { SessionRecord, SessionState, Transport } from "./record.ts";
import { equalHashes, matchSecret, RETIRED_MEMORY, type Token } from "./token.ts";
import { RequestVisit } from "./visit.ts";

/** Requests for parts of a page; a cookie they bring back could overwrite that of the page. */
const SUBRESOURCES: ReadonlySet<string> = new Set([
  "audio", "audioworklet", "font", "image", "manifest", "paintworklet", "script", "serviceworker",
  "sharedworker", "style", "track", "video", "worker", "xslt",
]); // biome-ignore format: a list of names

/** How often a token is judged: one find, one promotion, and one change by somebody else between them. */
const MAX_ATTEMPTS = 3;

/** How a visit is opened. */
export interface VisitOptions {
  /** A request of the management API: a newcomer gets no session of itself, and nothing is counted. */
  management?: boolean;
  /**
   * Aborted when the client leaves. Where that comes before the headers have left, what was changed until then is
   * stored, and the visit is finished with the status 499.
   */
  signal?: AbortSignal | undefined;
}

/**
 * Opens a visit: finds out what the client presents, asks the store, and decides. The id that a client sends is
 * only ever looked up; a session that is made gets an id of its own.
 */
export async function openVisit(
  engine: Engine,
  head: RequestHead,
  connection: ConnectionInfo,
  options: VisitOptions,
): Promise<RequestVisit> {
  const visit = await findVisit(engine, head, connection, options);
  visit.watch(options.signal);
  return visit;
}

async function findVisit(
  engine: Engine,
  head: RequestHead,
  connection: ConnectionInfo,
  options: VisitOptions,
): Promise<RequestVisit> {
  const facts = engine.client(head, connection);
  const visit = new RequestVisit(engine, head, facts);
  if (options.management === true) visit.markManagement();
  if (engine.config.skip?.(head) === true) {
    visit.work.lack({ kind: "withheld", reason: "skipped" });
    return visit;
  }
  const credentials = readCredentials(engine.config, head, engine.isEncrypted(facts));
  if (credentials.kind === "conflict") {
    engine.events.emit("withheld", { reason: "credentials-conflict", key: undefined });
    throw new SessionError(
      "CREDENTIALS_CONFLICT",
      "The request carries more than one session token.",
    );
  }
  if (credentials.kind === "duplicate") {
    withhold(visit, "duplicate-cookie");
    return visit;
  }
  try {
    const isKnown =
      credentials.kind === "token" &&
      (await enter(visit, credentials.token, credentials.transport));
    if (!isKnown) await welcome(visit, head, options);
  } catch (error) {
    if (!isOutage(error) || engine.config.onStoreError === "fail") throw error;
    visit.work.lack({ kind: "unavailable", error });
  }
  return visit;
}

/** Tries a token. False: nobody answers to it, and the client is a newcomer. */
async function enter(visit: RequestVisit, token: Token, transport: Transport): Promise<boolean> {
  const { engine } = visit;
  let record = await find(engine, token.id);
  const hash = engine.sha256(token.secret);
  // Again where the secret changed between two answers of the store. Who presents it is judged by the very state
  // that is adopted: a record may have moved on to that of a user who signed in meanwhile.
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (record === undefined || record.state.transport !== transport) break;
    const { state } = record;
    if (record.endedAt !== undefined) {
      if (!isFreshlyEnded(record, hash, engine.now())) break;
      withhold(visit, "retired");
      return true;
    }
    const match = matchSecret(state, hash, engine.now(), engine.config.regenerationGrace);
    if (match === "unknown") break;
    if (match === "retired") {
      withhold(visit, "retired");
      return true;
    }
    if (lifecycle(record, engine.now()) !== "live") {
      // Only the store can say that it is over: a touch may be on its way.
      const live = await engine.gateway.call("end", (store, call) =>
        store.endIfDue(state.id, call),
      );
      if (live === undefined) return false;
      record = live;
      if (!equalHashes(live.state.secretHash, state.secretHash)) continue;
    }
    if (match === "reused") {
      await endReused(visit, state);
      return false;
    }
    if (match === "pending") {
      record = (await promote(engine, state, hash)) ?? (await find(engine, token.id));
      continue;
    }
    visit.work.adopt({ record, secretHash: hash, grace: match === "grace" });
    await visit.touch(record);
    if (match === "current") await offerSuccessor(visit, token);
    return true;
  }
  engine.unknownToken(visit.facts);
  return false;
}

function find(
  engine: Engine,
  id: string,
): Promise<SessionRecord | undefined> | SessionRecord | undefined {
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

/** The successor has arrived at the client: it is the secret now, and its predecessor's grace begins. */
async function promote(
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

/**
 * Regeneration by time: offers the client a successor of its secret, again with each answer until it comes back. The
 * successor follows from the secret, which only the client has, and a nonce, which only the store has: so
 * parallel requests and repeated answers all carry the same one, and the store still keeps no secret.
 */
async function offerSuccessor(visit: RequestVisit, token: Token): Promise<void> {
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

function successor(engine: Engine, token: Token, nonce: string): string {
  return engine.sha256(`${token.secret}.${nonce}`);
}

/** Decides what a client without a session gets. */
async function welcome(
  visit: RequestVisit,
  head: RequestHead,
  options: VisitOptions,
): Promise<void> {
  const { engine } = visit;
  warnOfMisreadProxy(visit, head);
  const reason = withheldReason(head);
  if (reason !== undefined) {
    withhold(visit, reason);
    return;
  }
  const { config } = engine;
  const isAutomatic = config.create === "visit" && config.transports.includes("cookie");
  if (!isAutomatic || options.management === true || engine.isManagementPath(visit.path)) return;
  try {
    await createFresh(visit.work, undefined, EMPTY_METADATA, 0);
  } catch (error) {
    if (!isSessionError(error) || error.code !== "STORE_FULL") throw error;
    visit.work.lack({ kind: "full" });
  }
}

function withheldReason(head: RequestHead): WithheldReason | undefined {
  // Browsers send these; other clients have no cookies to mix up.
  if (head.headers.get("sec-fetch-site") === "cross-site") return "cross-site";
  const destination = head.headers.get("sec-fetch-dest");
  return destination !== null && SUBRESOURCES.has(destination) ? "subresource" : undefined;
}

function withhold(visit: RequestVisit, reason: WithheldReason): void {
  visit.work.lack({ kind: "withheld", reason });
  visit.engine.events.emit("withheld", { reason, key: undefined });
}

function warnOfMisreadProxy(visit: RequestVisit, head: RequestHead): void {
  const { engine, facts } = visit;
  if (engine.isEncrypted(facts)) return;
  if (!facts.forwarded && head.headers.get("x-forwarded-proto") === "https") {
    engine.warn(
      "forwarded-proto",
      "A request says X-Forwarded-Proto: https, and no proxy is trusted: session cookies go out without Secure. " +
        "Set trustProxy to your proxy's address, or publicUrl to your https origin.",
    );
    return;
  }
  const host = head.headers.get("host") ?? "";
  if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host)) {
    engine.warn(
      "insecure-cookie",
      "Session cookies go out without Secure, because requests come over plain http.",
    );
  }
}
