import type { ConnectionInfo } from "../client.ts";
import type { RegisteredData } from "../data.ts";
import type { Session } from "../session.ts";
import type { UserSession } from "../view.ts";

/** What a caller wants to do. More may follow: permit what you know, never everything but what you know. */
export type SessionAction =
  | "list"
  | "detail"
  | "activity"
  | "create"
  | "patch"
  | "end"
  | "metrics"
  | "status";

/** Whom it is about. Without either id it is about everybody. */
export interface AuthorizeTarget {
  readonly sessionId?: string;
  /** Absent for an anonymous session and for one that is not known. */
  readonly userId?: string;
}

/** What an authorizer decides by. */
export interface AuthorizeContext<Data extends object = RegisteredData> {
  readonly action: SessionAction;
  /** The caller's own session; absent where the request has none. */
  readonly session?: Session<Data>;
  /** Its body may have been read already. */
  readonly request: Request;
  /** What the host knows of the connection; empty where it knows nothing. */
  readonly connection: ConnectionInfo;
  readonly target?: AuthorizeTarget;
}

/** Permits by answering `true` or a promise of it. Anything else refuses, and so does an error. */
export type Authorize<Data extends object = RegisteredData> = (
  context: AuthorizeContext<Data>,
) => boolean | Promise<boolean>;

/** How much of a session the caller may see. Both may end it. */
export type Access = "all" | "own" | "refused";

/**
 * The rule for one session. `own`: the caller's session or one of the same user, whose data shows only
 * what `clientReadable` names. What has ended is readable with permission alone. `undefined`, a session that is not
 * known, is refused as a foreign one is.
 */
export function access(
  caller: UserSession<object> | undefined,
  target: UserSession<object> | undefined,
  isPermitted: boolean,
): Access {
  if (target === undefined) return "refused";
  if (isPermitted) return "all";
  return target.isActive && isOwn(caller, target) ? "own" : "refused";
}

/** Whether the caller is this user. Two missing user ids are not the same user. */
export function isSameUser(
  caller: UserSession<object> | undefined,
  userId: string | undefined,
): boolean {
  return caller?.userId !== undefined && caller.userId !== "" && caller.userId === userId;
}

/** The target as an authorizer sees it. */
export function targetOf(sessionId: string, userId: string | undefined): AuthorizeTarget {
  return userId === undefined ? { sessionId } : { sessionId, userId };
}

function isOwn(caller: UserSession<object> | undefined, target: UserSession<object>): boolean {
  return caller !== undefined && (caller.id === target.id || isSameUser(caller, target.userId));
}
