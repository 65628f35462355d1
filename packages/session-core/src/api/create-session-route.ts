import type { ApiCall } from "./api-call.ts";
import { ApiError, forbidden } from "./api-error.ts";
import { targetOf } from "./authorization.ts";
import { type CreateBody, readCreateBody } from "./create-body.ts";
import { readJsonBody } from "./json-body.ts";
import type { Answer } from "./respond.ts";
import { timestamp } from "./views.ts";

/** `POST /`: a session for a user, with permission; without `user_id` the caller's own. */
export async function createSession(call: ApiCall): Promise<Answer> {
  const body = readCreateBody(await readJsonBody(call.request));
  return body.userId === undefined
    ? prepareOwn(call, body)
    : createFor(call, body.userId, body.metadata);
}

/**
 * The token is shown this once, and no cookie is set, so an administrator never becomes the user. Neither the
 * address nor the user agent are the caller's: they would say that the user was there.
 */
async function createFor(
  call: ApiCall,
  userId: string,
  metadata: CreateBody["metadata"],
): Promise<Answer> {
  if (!(await call.permits({ userId }))) throw forbidden();
  const { session, token } = await call.manager.create({ userId, metadata });
  return {
    status: 201,
    body: {
      success: true,
      session_id: session.id,
      token,
      message: "The session was created.",
      expires_at: timestamp(session.expiresAt),
    },
  };
}

/** Handlers trust what is in a session: a client sets the named keys alone, unless it is permitted more. */
async function prepareOwn(call: ApiCall, { metadata }: CreateBody): Promise<Answer> {
  const { caller, visit } = call;
  const { clientWritable } = call.options;
  if (Object.keys(metadata).some((key) => !clientWritable.has(key))) {
    const target = caller === undefined ? undefined : targetOf(caller.id, caller.userId);
    if (!(await call.permits(target, "patch"))) throw forbidden();
  }
  await store(call, metadata);
  const { session } = visit;
  return {
    status: session.isNew ? 201 : 200,
    body: {
      success: true,
      session_id: session.id,
      message: session.isNew ? "The session was created." : "This is your session.",
      expires_at: timestamp(session.expiresAt),
    },
  };
}

/** All of it or nothing: a new session is made with its data in it, and what is refused leaves nothing behind. */
async function store({ visit }: ApiCall, metadata: CreateBody["metadata"]): Promise<void> {
  const { session } = visit;
  // What stands in front of the API may have changed something too; that is not part of this.
  if (visit.isDirty) await visit.commit();
  const entries = Object.entries(metadata);
  if (entries.length === 0 || session.state === "unsaved") await visit.ensure();
  if (session.state === "unsaved") throw noSession();
  try {
    for (const [key, value] of entries) session.set(key as never, value as never);
    if (entries.length > 0) await session.save();
  } catch (error) {
    visit.discard();
    throw error;
  }
  if (!session.isActive) throw noSession();
}

/** The visit may have none: another request has just ended or replaced it, or the host skips this path. */
function noSession(): ApiError {
  return new ApiError("NO_SESSION", "This request cannot have a session.");
}
