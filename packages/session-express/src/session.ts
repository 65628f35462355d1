import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { type Middleware, session as nodeSession } from "@kyb/session-node";
import { type ConnectionOptions, expressConnection } from "./connection.ts";

/** How `session()` is set up. */
export interface SessionOptions extends ConnectionOptions {}

/**
 * Middleware that gives every request its session, `req.session`. Put it before the routes, and before `compression` if
 * the timeline is to show compressed sizes.
 *
 * What keeps the session from being opened or its changes from being stored goes to Express' error handling: by
 * default 503 with `Retry-After` while the store is down. An answer that was not stored is never sent as if it were.
 */
export function session<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: SessionOptions = {},
): Middleware {
  return nodeSession(manager, { connection: expressConnection(options) });
}
