import { isSessionError } from "../errors.ts";
import type { RevokeResult } from "../session.ts";
import type { ApiCall } from "./api-call.ts";
import { noSuchSession } from "./api-error.ts";
import { isSameUser } from "./authorization.ts";
import { invalid, text } from "./parameters.ts";
import { reach } from "./read-sessions.ts";
import type { Answer } from "./respond.ts";

/** `DELETE /`: one session, or all of a user. */
export async function endSessions(call: ApiCall): Promise<Answer> {
  const sessionId = text(call.parameters, "session_id");
  const userId = text(call.parameters, "user_id");
  const except = text(call.parameters, "except");
  if (except !== undefined && except !== "current") throw invalid("except can only be current.");
  if (userId === undefined) {
    if (except !== undefined) throw invalid("except goes together with user_id.");
    if (sessionId === undefined) throw invalid("session_id or user_id is missing.");
    return endOne(call, sessionId);
  }
  if (sessionId !== undefined) throw invalid("session_id and user_id exclude each other.");
  return endAll(call, userId, except !== undefined);
}

async function endOne(call: ApiCall, id: string): Promise<Answer> {
  const { caller } = call;
  await reachToEnd(call, id);
  // The own session: its cookie goes as well.
  if (caller?.id === id) return ended(await caller.signOut());
  return ended(await call.manager.revoke(id));
}

/** Who may end any session may end one that nobody can read: there is no other way to be rid of it. */
async function reachToEnd(call: ApiCall, id: string): Promise<void> {
  try {
    await reach(call, id);
  } catch (error) {
    if (!isSessionError(error) || error.code !== "RECORD_UNREADABLE") throw error;
    if (!(await call.permits({ sessionId: id }))) throw noSuchSession();
  }
}

async function endAll(call: ApiCall, userId: string, exceptCurrent: boolean): Promise<Answer> {
  const { caller } = call;
  const isPermitted = await call.permits({ userId });
  if (!isPermitted && !isSameUser(caller, userId)) throw noSuchSession();
  if (exceptCurrent && caller === undefined) {
    throw invalid("except=current needs a session of your own.");
  }
  const except = exceptCurrent ? caller?.id : undefined;
  const result = await call.manager.revokeUser(userId, except === undefined ? {} : { except });
  // At one instant for readers, so the caller's own session was among them; what is left is its cookie.
  if (except === undefined && isSameUser(caller, userId)) await caller?.signOut();
  return ended(result);
}

function ended({ ended: count, durable }: RevokeResult): Answer {
  const sentence = count === 1 ? "1 session has ended." : `${count} sessions have ended.`;
  // A store that could lose it says so, and so do we.
  const message = durable ? sentence : `${sentence} Not confirmed by replicas of the store.`;
  return { status: 200, body: { success: true, message, count, durable } };
}
