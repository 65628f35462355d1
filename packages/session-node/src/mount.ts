import type { IncomingMessage } from "node:http";
import type { ConnectionInfo, RegisteredData, SessionManager } from "@kyb/session-core";
import { connectionOf } from "./connection.ts";
import type { FetchHandler } from "./fetch-handler.ts";
import { urlOf } from "./head.ts";
import { visitOf } from "./opened.ts";
import { serve } from "./serve.ts";
import type { Middleware } from "./session.ts";

export interface MountOptions<
  Data extends object = RegisteredData,
  Req extends IncomingMessage = IncomingMessage,
> {
  /** As for `session()`. */
  connection?: (req: Req) => ConnectionInfo;
  /** Whose visit, if `session()` has opened one, the handler is given. Default: none. */
  manager?: SessionManager<Data>;
}

/**
 * Middleware that serves a fetch handler. What the handler answers with undefined is passed on, with its body
 * unread; what it throws goes to `next(error)`.
 *
 * It works behind a router that cuts off a prefix, and behind a body parser: a body that was read already is made again
 * from `req.body`.
 */
export function mount<
  Data extends object = RegisteredData,
  Req extends IncomingMessage = IncomingMessage,
>(handler: FetchHandler, options: MountOptions<Data, Req> = {}): Middleware<Req> {
  const { connection = connectionOf, manager } = options;
  return function mount(req, res, next) {
    const visit = manager === undefined ? undefined : visitOf(req, manager);
    serve(handler, {
      req,
      res,
      url: urlOf(req),
      connection: connection(req),
      body: (req as { body?: unknown }).body,
      context: { visit, mountPath: mountPathOf(req) },
    }).then((isAnswered) => {
      if (!isAnswered) next();
    }, next);
  };
}

/** What routers have cut off: Express says it, for Connect it is what `url` lacks. */
function mountPathOf(req: IncomingMessage): string {
  const { baseUrl } = req as { baseUrl?: unknown };
  if (typeof baseUrl === "string") return baseUrl;
  const [whole = ""] = urlOf(req).split("?", 1);
  const [rest = ""] = (req.url ?? "").split("?", 1);
  if (whole.endsWith(rest)) return whole.slice(0, whole.length - rest.length);
  return rest === "/" ? whole : "";
}
