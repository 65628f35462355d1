import type { RequestListener } from "node:http";
import { type SessionManager, session, sessionApi } from "@kyb/session-koa";
import Koa, { type Context } from "koa";
import type { Answer } from "../app/answer.ts";
import { failure, respond } from "../app/application.ts";
import { authorize } from "../app/sessions.ts";

/** The demo on Koa. */
export function createListener(sessions: SessionManager): RequestListener {
  const app = new Koa()
    .use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        send(ctx, failure(error));
      }
    })
    .use(session(sessions))
    .use(sessionApi(sessions, { authorize }))
    .use(async (ctx) => {
      const { method, originalUrl: url, session } = ctx;
      const headers = { get: (name: string) => ctx.get(name) };
      send(ctx, await respond({ method, url, headers, body: ctx.req, session }, sessions));
    });
  return app.callback();
}

function send(ctx: Context, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.body = body;
  ctx.set({ ...headers });
}
