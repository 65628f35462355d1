import type { IncomingMessage } from "node:http";
import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { createSessionApi, type SessionApiOptions } from "@kyb/session-core/api";
import { urlOf } from "./head.ts";
import { mount } from "./mount.ts";
import type { Middleware, SessionOptions } from "./session.ts";

/** The options of the management API, and those of `session()`. */
export interface MountedApiOptions<
  Data extends object = RegisteredData,
  Req extends IncomingMessage = IncomingMessage,
> extends SessionApiOptions<Data>,
    SessionOptions<Req> {}

/**
 * Middleware that answers the management API's paths and passes everything else on. It works with or without
 * `session()` before it, at any prefix, before or after a body parser.
 *
 * Throws `INVALID_CONFIG`, naming the option; there is no API without `authorize`.
 */
export function sessionApi<
  Data extends object = RegisteredData,
  Req extends IncomingMessage = IncomingMessage,
>(manager: SessionManager<Data>, options: MountedApiOptions<Data, Req>): Middleware<Req> {
  const { connection, ...apiOptions } = options;
  const handler = createSessionApi(manager, apiOptions as SessionApiOptions<Data>);
  const isCandidate = apiPathGuess(options.basePath);
  const serve = mount(handler, { manager, ...(connection === undefined ? {} : { connection }) });
  return function sessionApi(req, res, next) {
    if (isCandidate(urlOf(req))) serve(req, res, next);
    else next();
  };
}

/**
 * Tells the URLs that the API might answer from those that it never does, so that all other requests cost a search and no
 * `Request`. Only a guess: the API itself decides, on the decoded path.
 */
export function apiPathGuess(basePath = "/v1/sessions"): (url: string) => boolean {
  return (url) => url.includes(basePath) || url.includes("%");
}
