import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { createSessionApi, type SessionApiOptions } from "@kyb/session-core/api";
import { apiPathGuess } from "@kyb/session-node";
import type { Middleware } from "koa";
import { mount } from "./mount.ts";
import type { SessionOptions } from "./session.ts";

/** The options of the management API, and those of `session()`. */
export interface MountedApiOptions<Data extends object = RegisteredData>
  extends SessionApiOptions<Data>,
    SessionOptions {}

/**
 * Middleware that answers the management API's paths and passes everything else on. It works with or without
 * `session()` before it, at any prefix, before or after a body parser.
 *
 * Throws `INVALID_CONFIG`, naming the option; there is no API without `authorize`.
 */
export function sessionApi<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: MountedApiOptions<Data>,
): Middleware {
  const { connection, ...apiOptions } = options;
  const handler = createSessionApi<Data>(manager, apiOptions);
  const isCandidate = apiPathGuess(options.basePath);
  const serve = mount(handler, { manager, ...(connection === undefined ? {} : { connection }) });
  return function sessionApi(ctx, next) {
    return isCandidate(ctx.originalUrl) ? serve(ctx, next) : next();
  };
}
