import type { RegisteredData, SessionManager } from "@kyb/session-core";
import type { SessionApiOptions } from "@kyb/session-core/api";
import { type Middleware, sessionApi as nodeSessionApi } from "@kyb/session-node";
import { type ConnectionOptions, expressConnection } from "./connection.ts";

/** The options of the management API, and those of `session()`. */
export interface MountedApiOptions<Data extends object = RegisteredData>
  extends SessionApiOptions<Data>,
    ConnectionOptions {}

/**
 * Middleware that answers the management API's paths and passes everything else on: with or without `session()` before
 * it, in a router at any prefix, before or after a body parser.
 *
 * Throws `INVALID_CONFIG`, naming the option; there is no API without `authorize`.
 */
export function sessionApi<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: MountedApiOptions<Data>,
): Middleware {
  return nodeSessionApi(manager, { ...options, connection: expressConnection(options) });
}
