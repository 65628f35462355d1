import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { allowLoopback, SessionManager, session, sessionApi, sessionOf } from "@kyb/session-node";

const sessions = new SessionManager<{ visits: number }>();
const open = session(sessions);
const api = sessionApi(sessions, { authorize: allowLoopback });

const server = createServer((req, res) => {
  const fail = (error: unknown) =>
    res.writeHead((error as { status?: number }).status ?? 500).end();
  // Each passes the request on, or says why not.
  const then = (next: () => unknown) => (error?: unknown) => (error ? fail(error) : next());
  const answer = then(() => respond(req, res).catch(fail));
  const manage = then(() => api(req, res, answer));
  open(req, res, manage);
});

async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const session = sessionOf(sessions, req);
  const route = `${req.method} ${req.url}`;
  if (route === "POST /sign-in") await session.signIn("alice"); // once you know who it is
  if (route === "POST /sign-out") await session.signOut();
  if (req.method === "POST") res.writeHead(303, { Location: "/" });
  else session.increment("visits");
  res.end(`Visit ${session.get("visits")} of ${session.userId ?? "a stranger"}\n`);
}

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => console.log(server.address()));
