import { type Session, SessionManager } from "../../src/index.ts";
import { holds, type Same } from "./same.ts";

// How hosts declare what they take, as far as it matters here.

interface BunServer {
  requestIP(request: Request): { address: string; port: number } | null;
}
declare function bunServe(options: {
  port?: number;
  fetch(this: BunServer, request: Request, server: BunServer): Response | Promise<Response>;
}): void;

interface DenoInfo {
  remoteAddr: { transport: "tcp"; hostname: string; port: number };
  completed: Promise<void>;
}
declare function denoServe(
  handler: (request: Request, info: DenoInfo) => Response | Promise<Response>,
): void;

interface WorkerContext {
  waitUntil(promise: Promise<unknown>): void;
}
interface WorkerHandler<Env> {
  fetch?(request: Request, env: Env, context: WorkerContext): Response | Promise<Response>;
}

declare function serviceWorker(handler: (request: Request) => Promise<Response>): void;

interface Shop {
  visits: number;
}
const manager = new SessionManager<Shop>();
const hello = (_request: Request, session: Session<Shop>): Response =>
  Response.json(session.metadata);

// A handler that needs nothing but the session fits everywhere.
bunServe({ fetch: manager.wrap(hello) });
denoServe(manager.wrap(hello));
serviceWorker(manager.wrap(hello));
({ fetch: manager.wrap(hello) }) satisfies WorkerHandler<object>;

// Also where the host is asked for the connection.
bunServe({
  port: 3000,
  fetch: manager.wrap(hello, {
    connection: (request, server: BunServer) => ({
      remoteAddress: server.requestIP(request)?.address ?? "",
    }),
  }),
});
denoServe(
  manager.wrap(hello, {
    connection: (_request, info: DenoInfo) => ({ remoteAddress: info.remoteAddr.hostname }),
  }),
);

// What else the host passes comes behind the session, typed.
const worker = {
  fetch: manager.wrap(async (_request, session, env: { name: string }, context: WorkerContext) => {
    holds<Same<typeof session, Session<Shop>>>();
    session.increment("visits");
    context.waitUntil(session.save());
    return new Response(env.name);
  }),
} satisfies WorkerHandler<{ name: string }>;
holds<
  Same<
    typeof worker.fetch,
    (request: Request, env: { name: string }, context: WorkerContext) => Promise<Response>
  >
>();

// Both may take it, and it is the same for both.
denoServe(
  manager.wrap(
    (_request, session, info: DenoInfo) => {
      holds<Same<typeof session, Session<Shop>>>();
      return new Response(info.remoteAddr.hostname);
    },
    { connection: (_request, info: DenoInfo) => ({ remoteAddress: info.remoteAddr.hostname }) },
  ),
);
manager.wrap(
  // @ts-expect-error the host passes something else
  (_request, _session, info: BunServer) => new Response(String(info)),
  { connection: (_request, info: DenoInfo) => ({ remoteAddress: info.remoteAddr.hostname }) },
);

// @ts-expect-error a handler answers a Response
manager.wrap(() => "text");
// @ts-expect-error no connection
manager.wrap(hello, { connection: () => "127.0.0.1" });
// @ts-expect-error an environment that is not there
serviceWorker(manager.wrap((_request, _session, env: { name: string }) => new Response(env.name)));
