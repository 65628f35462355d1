import type { RequestListener } from "node:http";
import { type SessionManager, session, sessionApi } from "@kyb/session-express";
import express, { type ErrorRequestHandler, type Response } from "express";
import type { Answer } from "../app/answer.ts";
import { failure, respond } from "../app/application.ts";
import { authorize } from "../app/sessions.ts";

/** The demo on Express. */
export function createListener(sessions: SessionManager): RequestListener {
  const app = express().disable("x-powered-by");
  app.use(session(sessions));
  app.use(sessionApi(sessions, { authorize }));
  app.use(async (req, res) => {
    const { method, originalUrl: url, session } = req;
    const headers = { get: (name: string) => req.get(name) };
    send(res, await respond({ method, url, headers, body: req, session }, sessions));
  });
  app.use(handleError);
  return app;
}

const handleError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error);
  else send(res, failure(error));
};

function send(res: Response, { status, headers, body }: Answer): void {
  res.status(status).set(headers).send(body);
}
