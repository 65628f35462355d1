import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { type SessionManager, session, sessionApi } from "@kyb/session-hono";
import { Hono } from "hono";
import type { Answer } from "../app/answer.ts";
import { failure, respond } from "../app/application.ts";
import { authorize } from "../app/sessions.ts";

/** The demo on Hono, on Node. */
export function createListener(sessions: SessionManager): RequestListener {
  const app = new Hono()
    .use(session(sessions))
    .use(sessionApi(sessions, { authorize }))
    .all("*", async (c) => {
      const { method, url, headers, body } = c.req.raw;
      const { session } = c.var;
      return toResponse(await respond({ method, url, headers, body, session }, sessions));
    });
  app.onError((error) => toResponse(failure(error)));
  return getRequestListener(app.fetch);
}

function toResponse({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}
