import { isSessionError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { Page, UserSession } from "../view.ts";
import type { ApiCall } from "./api-call.ts";
import { forbidden, noSuchSession } from "./api-error.ts";
import { type Access, access, isSameUser, targetOf } from "./authorization.ts";
import { invalid, readListQuery, readRange, requiredText, text } from "./parameters.ts";
import type { Answer } from "./respond.ts";
import { entryView } from "./views.ts";

type ListQuery = ReturnType<typeof readListQuery>;

/** `GET /`: everybody's sessions with permission, else those of the caller's user, else the caller's own. */
export async function listSessions(call: ApiCall): Promise<Answer> {
  const query = readListQuery(call.parameters);
  const userId = text(call.parameters, "user_id");
  if (userId === undefined && (await call.permits())) {
    return listAnswer(call, await passCursor(call.manager.list(query)), true);
  }
  const { caller } = call;
  const scope = userId ?? caller?.userId;
  if (scope === undefined) return listOwn(call, caller, query);
  const isPermitted = await call.permits({ userId: scope });
  if (!isPermitted && !isSameUser(caller, scope)) throw noSuchSession();
  if (!isPermitted) refuseEnded(query);
  const page = await passCursor(call.manager.list({ ...query, userId: scope }));
  return listAnswer(call, page, isPermitted);
}

/** `GET /current`. */
export async function currentSession(call: ApiCall): Promise<Answer> {
  const session = await ownOrNone(call);
  const isPermitted = await call.permits(targetOf(session.id, session.userId));
  return sessionAnswer(call, session, isPermitted);
}

/** `GET /detail`. */
export async function sessionDetail(call: ApiCall): Promise<Answer> {
  const id = requiredText(call.parameters, "session_id");
  const { session, level } = await reach(call, id);
  return sessionAnswer(call, session, level === "all");
}

/** `GET /activity`: the timeline of one session, without `session_id` the caller's own. */
export async function sessionActivity(call: ApiCall): Promise<Answer> {
  const range = readRange(call.parameters);
  const given = text(call.parameters, "session_id");
  const id = given ?? (await ownOrNone(call)).id;
  if (given !== undefined) await reach(call, given);
  const page = await passCursor(call.manager.activity(id, range));
  return {
    status: 200,
    body: {
      success: true,
      session_id: id,
      activity: page.items.map(entryView),
      count: page.items.length,
      total_count: page.total,
      offset: range.offset,
      limit: range.limit,
      next_cursor: page.nextCursor,
    },
  };
}

/**
 * The one way to a session that is named by its id. Unknown, foreign, ended and refused ids do the same work, ask the
 * authorizer alike and end in the same error.
 */
export async function reach(
  call: ApiCall,
  id: string,
): Promise<{ readonly session: UserSession<object>; readonly level: Exclude<Access, "refused"> }> {
  const { caller } = call;
  const session = caller?.id === id ? caller : await call.manager.get(id);
  const isPermitted = await call.permits(targetOf(id, session?.userId));
  const level = access(caller, session, isPermitted);
  if (session === undefined || level === "refused") throw noSuchSession();
  return { session, level };
}

/** An anonymous caller sees one session: the own. */
async function listOwn(
  call: ApiCall,
  caller: Session<object> | undefined,
  query: ListQuery,
): Promise<Answer> {
  if (caller === undefined) throw forbidden();
  const isPermitted = await call.permits(targetOf(caller.id, undefined));
  refuseEnded(query);
  if (query.cursor !== undefined) throw invalid("cursor was not given for this list.");
  const { search, offset } = query;
  const isMatch = search === undefined || search === caller.id || search === caller.ipAddress;
  const page = {
    items: isMatch && offset === 0 ? [caller] : [],
    ...(search === undefined ? { total: 1 } : {}),
  };
  return listAnswer(call, page, isPermitted);
}

/** What has ended is readable with permission alone. */
function refuseEnded({ status }: ListQuery): void {
  if (status !== "active") throw forbidden();
}

async function ownOrNone(call: ApiCall): Promise<Session<object>> {
  const session = await call.ownSession();
  if (session === undefined) throw noSuchSession();
  return session;
}

function sessionAnswer(call: ApiCall, session: UserSession<object>, isPermitted: boolean): Answer {
  const writer = call.writer(isPermitted);
  return { status: 200, body: { success: true, session: writer.write(session) } };
}

function listAnswer(call: ApiCall, page: Page<UserSession<object>>, isPermitted: boolean): Answer {
  const writer = call.writer(isPermitted);
  return {
    status: 200,
    body: {
      success: true,
      sessions: page.items.map((session) => writer.write(session)),
      count: page.items.length,
      total_count: page.total,
      next_cursor: page.nextCursor,
    },
  };
}

/** All else has been checked, so what is refused of a query is its cursor. */
async function passCursor<Item>(page: Promise<Page<Item>>): Promise<Page<Item>> {
  try {
    return await page;
  } catch (error) {
    if (isSessionError(error) && error.code === "INVALID_ARGUMENT") throw invalid(error.message);
    throw error;
  }
}
