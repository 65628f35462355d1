import {
  type ConnectionInfo,
  completeResponse,
  isSessionError,
  type RegisteredData,
  type Session,
  type SessionManager,
  type Visit,
} from "@kyb/session-core";
import type { Context, MiddlewareHandler, Next } from "hono";
import { incomingOf, nodeConnection, outgoingOf } from "./node-host.ts";
import { followNodeResponse } from "./node-response.ts";
import { rememberVisit, visitOf } from "./visits.ts";
import { withdrawResponse } from "./withdraw-response.ts";

/** What `session()` adds to an application: `new Hono<SessionEnv<MyData>>()`. */
export interface SessionEnv<Data extends object = RegisteredData> {
  Variables: { session: Session<Data> };
}

/** How the middleware learns what only the host knows. */
export interface SessionOptions {
  /**
   * Address of the peer, which may be a proxy, and whether its connection uses TLS. What it leaves out is as the host
   * says: Hono's Node server knows both; elsewhere there is no address, and the URL says whether it is TLS.
   */
  connection?: (c: Context) => ConnectionInfo;
}

type HostVisit = Pick<Visit, "commit" | "finish" | "isDirty" | "seal">;

/**
 * Gives every request its session: `c.var.session`, `c.get("session")`.
 *
 * What a handler changed is stored before its response leaves, also if it threw. Where that fails, the response is
 * withdrawn and the `SessionError` goes to the application's error handling, whose default answers with
 * the error's own response (503 and `Retry-After` while the store is down).
 */
export function session<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: SessionOptions = {},
): MiddlewareHandler<SessionEnv<Data>> {
  return async function session(c, next) {
    // One request, one visit, however often the middleware stands in its way.
    if (visitOf(c, manager) !== undefined) return next();
    const outgoing = outgoingOf(c.env);
    const visit = await manager.visit(c.req.raw, connectionOf(c, options.connection), {
      // Where the outgoing message tells that the client has left, to ask for the signal would cost the fast path.
      signal: outgoing === undefined ? c.req.raw.signal : undefined,
    });
    rememberVisit(c, manager, visit);
    c.set("session", visit.session);
    if (outgoing === undefined) return respond(c, visit, next);
    followNodeResponse(visit, c.req.method, outgoing);
    // Where the client has left while the store was asked, nobody waits for the handler's answer.
    if (outgoing.destroyed) return c.body(null);
    // As `handle` does; one `async` function less saves 0.3 µs and 450 bytes a request.
    try {
      await next();
    } finally {
      if (visit.isDirty) await store(c, visit);
    }
  };
}

/** What the host knows of the other end, and what the application adds. */
export function connectionOf(c: Context, added?: SessionOptions["connection"]): ConnectionInfo {
  const incoming = incomingOf(c.env);
  const found =
    incoming === undefined
      ? { encrypted: c.req.url.startsWith("https:") }
      : nodeConnection(incoming);
  return added === undefined ? found : { ...found, ...added(c) };
}

/** Runs the handlers and stores what they changed. */
async function handle(c: Context, visit: HostVisit, next: Next): Promise<void> {
  try {
    await next();
  } finally {
    if (visit.isDirty) await store(c, visit);
  }
}

async function store(c: Context, visit: HostVisit): Promise<void> {
  try {
    await visit.commit();
  } catch (error) {
    withdrawResponse(c);
    throw error;
  }
}

/** A request on a host that takes the `Response` as it is. */
async function respond(c: Context, visit: HostVisit, next: Next): Promise<void> {
  try {
    await handle(c, visit, next);
  } catch (error) {
    // Its answer is made further out, where nobody follows it any more.
    visit.finish({ status: isSessionError(error) ? error.status : 500, responseSize: 0 });
    throw error;
  }
  if (!c.finalized) {
    // The handler returned nothing, which Hono is about to report.
    visit.finish({ status: 500, responseSize: 0 });
  } else if (c.res.status === 101) {
    // The response of an upgrade belongs to the host; a copy of it would upgrade nothing.
    visit.finish({ status: 101, responseSize: 0 });
  } else {
    const response = await completeResponse(visit, c.req.method, c.res);
    // Hono gives a response that takes another's place the headers of the other, cookies included.
    c.res = undefined;
    c.res = response;
  }
}
