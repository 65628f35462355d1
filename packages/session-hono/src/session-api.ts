import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { createSessionApi, type SessionApiOptions } from "@kyb/session-core/api";
import type { MiddlewareHandler } from "hono";
import { mount } from "./mount.ts";
import type { SessionOptions } from "./session.ts";

/** The options of the management API, and those of `session()`. */
export interface MountedApiOptions<Data extends object = RegisteredData>
  extends SessionApiOptions<Data>,
    SessionOptions {}

/**
 * Middleware that answers the management API's paths and passes everything else on. It works with or without
 * `session()` before it, at any prefix, before or after what reads the body.
 *
 * Throws `INVALID_CONFIG`, naming the option; there is no API without `authorize`.
 */
export function sessionApi<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: MountedApiOptions<Data>,
): MiddlewareHandler {
  const { connection, ...apiOptions } = options;
  const handler = createSessionApi<Data>(manager, apiOptions);
  const serve = mount(handler, { manager, ...(connection === undefined ? {} : { connection }) });
  const { basePath = "/v1/sessions" } = options;
  return function sessionApi(c, next) {
    // Only a guess, so that all other requests cost a search: the API itself decides, on the decoded path.
    const mayAnswer = c.req.url.includes(basePath) || c.req.url.includes("%");
    return mayAnswer ? serve(c, next) : next();
  };
}
