import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { type FetchHandler, type Middleware, mount as nodeMount } from "@kyb/session-node";
import { type ConnectionOptions, expressConnection } from "./connection.ts";

/** How `mount()` is set up. */
export interface MountOptions<Data extends object = RegisteredData> extends ConnectionOptions {
  /** Whose visit, if `session()` has opened one, the handler is given. Default: none. */
  manager?: SessionManager<Data>;
}

/**
 * Middleware that serves a fetch handler. What the handler answers with undefined is passed on, with its body
 * unread; what it throws goes to Express' error handling.
 */
export function mount<Data extends object = RegisteredData>(
  handler: FetchHandler,
  options: MountOptions<Data> = {},
): Middleware {
  return nodeMount(handler, { ...options, connection: expressConnection(options) });
}
