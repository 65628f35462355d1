import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import {
  isSessionError,
  type Session,
  type SessionConfig,
  SessionManager,
  session,
} from "../../src/index.ts";

/** A server on a free port, which closes when the test is over. */
export async function listen(
  listener: RequestListener,
): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, server };
}

/** A manager, which closes when the test is over. */
export function newManager(config: SessionConfig = {}): SessionManager {
  const manager = new SessionManager(config);
  onTestFinished(() => manager.close());
  return manager;
}

export type Handler = (req: IncomingMessage, res: ServerResponse, session: Session) => unknown;

export interface Host {
  readonly origin: string;
  readonly server: Server;
  /** What came to `next(error)`. */
  readonly errors: unknown[];
}

/** A `node:http` program: session(), a handler by path, and what a careful program does with errors. */
export async function serveHandlers(
  manager: SessionManager,
  handlers: Record<string, Handler>,
): Promise<Host> {
  const errors: unknown[] = [];
  const middleware = session(manager);
  const answerError = (res: ServerResponse, error: unknown): void => {
    errors.push(error);
    res.statusCode = isSessionError(error) ? error.status : 500;
    res.setHeader("Content-Type", "text/plain");
    res.end(isSessionError(error) ? error.code : String(error));
  };
  const { origin, server } = await listen((req, res) => {
    middleware(req, res, (error) => {
      if (error !== undefined) {
        answerError(res, error);
        return;
      }
      const handler = handlers[new URL(req.url ?? "/", "http://localhost").pathname];
      const run = async (): Promise<void> => {
        if (handler === undefined) res.end("nothing here");
        else await handler(req, res, (req as unknown as { session: Session }).session);
      };
      run().catch((thrown: unknown) => answerError(res, thrown));
    });
  });
  return { origin, server, errors };
}

/** The timeline of the only session, oldest first. */
export async function timeline(
  manager: SessionManager,
): Promise<{ status: number; size: number; path: string; duration: number }[]> {
  const [only] = (await manager.list()).items;
  if (only === undefined) return [];
  const { items } = await manager.activity(only.id);
  return items
    .filter(({ action }) => action === "request")
    .map(({ statusCode, responseSize, endpoint, duration }) => ({
      status: statusCode,
      size: responseSize,
      path: endpoint,
      duration,
    }))
    .reverse();
}
