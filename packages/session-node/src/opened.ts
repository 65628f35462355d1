import type { IncomingMessage } from "node:http";
import {
  type RegisteredData,
  type Session,
  SessionError,
  type SessionManager,
  type Visit,
} from "@kyb/session-core";

/** Registered, so that the ESM and the CommonJS copy of this package find each other's visits. */
const OPENED: unique symbol = Symbol.for("@kyb/session-node.opened") as never;

/** A visit that was opened for a request. Two managers may each have one, the latest first. */
interface Opened {
  readonly manager: object;
  readonly visit: object;
  readonly before: Opened | undefined;
}

interface WithOpened extends IncomingMessage {
  [OPENED]?: Opened | undefined;
}

/** Remembers a visit with its request, for {@link visitOf}. */
export function remember(req: IncomingMessage, manager: object, visit: object): void {
  const request: WithOpened = req;
  request[OPENED] = { manager, visit, before: request[OPENED] };
}

/**
 * The visit that `session(manager)` opened for this request; undefined if it did not. Asked by manager, because the
 * sessions of another one have other users.
 */
export function visitOf<Data extends object = RegisteredData>(
  req: IncomingMessage,
  manager: SessionManager<Data>,
): Visit<Data> | undefined {
  let opened = (req as WithOpened)[OPENED];
  while (opened !== undefined && opened.manager !== manager) opened = opened.before;
  // A manager's visits hold the manager's data.
  return opened?.visit as Visit<Data> | undefined;
}

/**
 * The session of this request, typed by the manager's data: for applications that do not use `req.session`.
 *
 * Throws `INVALID_ARGUMENT` where `session(manager)` has not run before.
 */
export function sessionOf<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  req: IncomingMessage,
): Session<Data> {
  const visit = visitOf(req, manager);
  if (visit !== undefined) return visit.session;
  throw new SessionError(
    "INVALID_ARGUMENT",
    "This request has no session of this manager: put session(manager) before the handler.",
  );
}
