import type { ConnectionInfo, RegisteredData, SessionManager } from "@kyb/session-core";
import type { ApiContext } from "@kyb/session-core/api";
import type { Context, MiddlewareHandler } from "hono";
import { connectionOf, type SessionOptions } from "./session.ts";
import { visitOf } from "./visits.ts";

/** Answers a request, or undefined where it is not for this handler; what `createSessionApi` makes is one. */
export type FetchHandler = (
  request: Request,
  connection?: ConnectionInfo,
  context?: ApiContext,
) => Response | undefined | Promise<Response | undefined>;

export interface MountOptions<Data extends object = RegisteredData> extends SessionOptions {
  /** Whose visit, if `session()` has opened one, the handler is given. Default: none. */
  manager?: SessionManager<Data>;
}

/**
 * Middleware that serves a fetch handler wherever it is put: for all paths, under a prefix, in an application that is a
 * route of another one. What the handler answers with undefined is passed on.
 */
export function mount<Data extends object = RegisteredData>(
  handler: FetchHandler,
  options: MountOptions<Data> = {},
): MiddlewareHandler {
  const { connection, manager } = options;
  return async function mount(c, next) {
    const context = { visit: visitOf(c, manager), mountPath: mountPathOf(c) };
    const response = await handler(requestOf(c), connectionOf(c, connection), context);
    if (response === undefined) await next();
    else return response;
  };
}

/** The request with its body, also where a handler before this one has read it by `c.req`, as validators do. */
function requestOf(c: Context): Request {
  const { raw } = c.req;
  if (!raw.bodyUsed) return raw;
  const body = new ReadableStream<Uint8Array>(
    {
      // Asked for only where the request turns out to be the mounted handler's.
      async pull(controller) {
        controller.enqueue(new Uint8Array(await c.req.arrayBuffer()));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const { method, headers } = raw;
  // Required for a stream, and missing in some of the platforms' types.
  const init: RequestInit & { duplex: "half" } = { method, headers, body, duplex: "half" };
  return new Request(raw.url, init);
}

/** What the route's pattern has taken of the path: as many segments as stand before its final wildcard. */
function mountPathOf(c: Context): string {
  const prefix = c.req.routePath.replace(/\/?\*$/, "");
  if (prefix === "") return "";
  return c.req.path.split("/").slice(0, prefix.split("/").length).join("/");
}
