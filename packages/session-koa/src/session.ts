import {
  type ConnectionInfo,
  isSessionError,
  type RegisteredData,
  type Session,
  type SessionManager,
  type Visit,
} from "@kyb/session-core";
import { attach, clearHead, connectionOf, headOf, visitOf } from "@kyb/session-node";
import type { DefaultState, Middleware, ParameterizedContext } from "koa";

/** What `session()` adds to Koa's context. */
export interface SessionContext<Data extends object = RegisteredData> {
  session: Session<Data>;
}

export interface SessionOptions {
  /**
   * Finds out who is at the other end. Default: the socket says so. `trustProxy` of the manager applies to it.
   *
   * Danger: `ctx.ip` is no answer. With `app.proxy` it is the leftmost address of `X-Forwarded-For`, which every
   * client can write.
   */
  connection?: (ctx: ParameterizedContext) => ConnectionInfo;
}

/**
 * Middleware that gives every request its session: `ctx.session`. A second one of the same manager on the same request
 * does nothing.
 *
 * It is typed where the calls of `use` are chained: `new Koa().use(session(manager)).use((ctx) => …)`.
 *
 * What a handler changed is stored before its response leaves, also if it threw. What kept it from being stored is
 * thrown, so that Koa's error handling answers (503 and `Retry-After` while the store is down).
 */
export function session<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: SessionOptions = {},
): Middleware<DefaultState, SessionContext<Data>> {
  const { connection } = options;
  return async function session(ctx, next) {
    const { req, res } = ctx;
    if (visitOf(req, manager) !== undefined) return next();
    const visit = await manager.visit(
      headOf(req, ctx.originalUrl),
      connection === undefined ? connectionOf(req) : connection(ctx),
    );
    // Where the handler has answered past Koa, only Koa's own handler of errors is left to tell.
    const fail = (error: unknown): void => ctx.onerror(error as Error);
    // Where the client has left while the store was asked, nobody waits for the handler's answer.
    if (!attach({ manager, visit, req, res, fail })) return;
    ctx.session = visit.session;
    try {
      await next();
    } finally {
      if (visit.isDirty) await store(ctx, visit);
    }
  };
}

async function store(ctx: ParameterizedContext, visit: Pick<Visit, "commit">): Promise<void> {
  try {
    await visit.commit();
  } catch (error) {
    if (!ctx.headerSent) withdrawAnswer(ctx, error);
    throw error;
  }
}

/** Takes back what the handler answered: whoever catches the error must not send it on, nor redirect with it. */
function withdrawAnswer(ctx: ParameterizedContext, error: unknown): void {
  clearHead(ctx.res);
  // Koa closes the stream, if it was one.
  ctx.body = null;
  ctx.status = isSessionError(error) ? error.status : 500;
}
