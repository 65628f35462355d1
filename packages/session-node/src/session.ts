import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectionInfo, RegisteredData, SessionManager, Visit } from "@kyb/session-core";
import { attach } from "./attach.ts";
import { connectionOf } from "./connection.ts";
import { headOf } from "./head.ts";
import { visitOf } from "./opened.ts";

/** What middleware calls to pass a request on: with an error, to the host's error handling. */
export type Next = (error?: unknown) => void;

/** Middleware as Connect, Express and hand-written `node:http` servers call it. */
export type Middleware<Req extends IncomingMessage = IncomingMessage> = (
  req: Req,
  res: ServerResponse,
  next: Next,
) => void;

export interface SessionOptions<Req extends IncomingMessage = IncomingMessage> {
  /** Finds out who is at the other end. Default: the socket says so. `trustProxy` of the manager applies to it. */
  connection?: (req: Req) => ConnectionInfo;
}

/**
 * Middleware that gives every request its session: `req.session`, or typed `sessionOf(manager, req)`. A second one of the
 * same manager on the same request does nothing.
 *
 * `next(error)` is called with what kept the session from being opened, such as `STORE_UNAVAILABLE`; and, after
 * the handler has answered but before anything was sent, with what kept its changes from being stored. So `next`
 * may be called twice, and a `node:http` server that calls this by hand has to answer the error.
 */
export function session<
  Data extends object = RegisteredData,
  Req extends IncomingMessage = IncomingMessage,
>(manager: SessionManager<Data>, options: SessionOptions<Req> = {}): Middleware<Req> {
  const connect = options.connection ?? connectionOf;
  return function session(req, res, next) {
    if (visitOf(req, manager) !== undefined) {
      next();
      return;
    }
    const begin = (visit: Visit<Data>): void => {
      // Where the client has left while the store was asked, nobody waits for the handler's answer.
      if (!attach({ manager, visit, req, res, fail: next })) return;
      (req as { session?: unknown }).session = visit.session;
      next();
    };
    // What `begin` throws is the handler's own error, which no host has caught: it surfaces as an unhandled one.
    manager.visit(headOf(req), connect(req)).then(begin, next);
  };
}
