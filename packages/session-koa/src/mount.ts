import type { RegisteredData, SessionManager } from "@kyb/session-core";
import { connectionOf, type FetchHandler, serve, visitOf } from "@kyb/session-node";
import type { Middleware, ParameterizedContext } from "koa";
import type { SessionOptions } from "./session.ts";

export interface MountOptions<Data extends object = RegisteredData> extends SessionOptions {
  /** Whose visit, if `session()` has opened one, the handler is given. Default: none. */
  manager?: SessionManager<Data>;
}

/**
 * Middleware that serves a fetch handler. What the handler answers with undefined is passed on, with its body
 * unread; what it throws goes to Koa's error handling.
 *
 * It works behind middleware that cuts off a prefix, such as koa-mount, and behind a body parser: a body that was read
 * already is made again from `ctx.request.body`.
 */
export function mount<Data extends object = RegisteredData>(
  handler: FetchHandler,
  options: MountOptions<Data> = {},
): Middleware {
  const { connection, manager } = options;
  return async function mount(ctx, next) {
    const { req, res, originalUrl: url } = ctx;
    const visit = manager === undefined ? undefined : visitOf(req, manager);
    const isAnswered = await serve(handler, {
      req,
      res,
      url,
      connection: connection === undefined ? connectionOf(req) : connection(ctx),
      body: (ctx.request as { body?: unknown }).body,
      context: { visit, mountPath: mountPathOf(ctx) },
    });
    if (!isAnswered) return next();
    // As `ctx.body`, a Response would lose a Set-Cookie of two, and never end a stream of events that its client left.
    ctx.respond = false;
  };
}

/** What of the path has been cut off on the way here, by koa-mount for example: what `ctx.path` lacks. */
function mountPathOf({ originalUrl, path }: ParameterizedContext): string {
  const [whole = ""] = originalUrl.split("?", 1);
  if (whole.endsWith(path)) return whole.slice(0, whole.length - path.length);
  return path === "/" ? whole : "";
}
