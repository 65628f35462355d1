import { type CreatedSession, createSession } from "./create-session.ts";
import type { Metadata } from "./metadata.ts";
import { headersSent, noCookies } from "./refusals.ts";
import type { SessionWork } from "./session-work.ts";
import type { Token } from "./token.ts";

// A session of its own for the client of a request: made in the store, then the client's, then its token handed out.

/** Makes a session for this client and hands out its token. Throws `STORE_FULL` or `USER_LIMIT`. */
export async function createFresh(
  work: SessionWork,
  userId: string | undefined,
  metadata: Metadata,
  bytes: number,
): Promise<void> {
  await takeUp(work, await makeFresh(work, userId, metadata, bytes));
}

/** Makes a session for this client, whose token nobody has yet. */
export async function makeFresh(
  work: SessionWork,
  userId: string | undefined,
  metadata: Metadata,
  bytes: number,
): Promise<CreatedSession> {
  if (!work.engine.config.transports.includes("cookie")) throw noCookies();
  work.refuseIfSealed();
  return createSession(work.engine, {
    transport: "cookie",
    userId,
    ipAddress: work.client.facts.address,
    userAgent: work.client.userAgent(),
    metadata,
    bytes,
  });
}

/** The session that was made is the client's from here on. */
export async function takeUp(work: SessionWork, made: CreatedSession): Promise<void> {
  const { record, token, secretHash } = made;
  work.adopt({ record, secretHash, grace: false });
  work.isNew = true;
  await handOut(work, token);
}

/**
 * Hands out a token, unless the headers or the client have left meanwhile: then nobody could ever use the session,
 * and it ends.
 */
export async function handOut(work: SessionWork, token: Token): Promise<void> {
  if (!work.isAnswered) {
    if (work.snapshot !== undefined) work.cookies.issue(token, work.snapshot, work.engine.now());
    return;
  }
  await work.engine.gateway.call("end", (store, call) => store.end(token.id, "revoked", {}, call));
  work.leave({ kind: "ended" });
  throw headersSent();
}
