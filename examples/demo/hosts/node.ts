import type { RequestListener, ServerResponse } from "node:http";
import { type SessionManager, session, sessionApi, sessionOf } from "@kyb/session-node";
import type { Answer } from "../app/answer.ts";
import { failure, respond } from "../app/application.ts";
import { authorize } from "../app/sessions.ts";

/** The demo on `node:http` alone. */
export function createListener(sessions: SessionManager): RequestListener {
  const open = session(sessions);
  const api = sessionApi(sessions, { authorize });
  return (req, res) => {
    const fail = (error: unknown): void => send(res, failure(error));
    const answer = async (): Promise<void> => {
      const { method = "GET", url = "/" } = req;
      const headers = { get: (name: string) => req.headers[name]?.toString() };
      const session = sessionOf(sessions, req);
      send(res, await respond({ method, url, headers, body: req, session }, sessions));
    };
    // Each passes the request on to the next, or says what went wrong.
    open(req, res, (error) => {
      if (error) return fail(error);
      api(req, res, (error) => {
        if (error) return fail(error);
        answer().catch(fail);
      });
    });
  };
}

function send(res: ServerResponse, { status, headers, body }: Answer): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  res.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) }).end(body);
}
