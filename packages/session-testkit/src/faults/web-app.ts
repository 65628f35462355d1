import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  isSessionError,
  type RequestHead,
  type Session,
  type SessionManager,
  type Visit,
} from "@kyb/session-core";

/** What the sessions of the fault suite hold. */
export interface FaultData {
  /** Whose it is. No two sessions have the same. */
  own: string;
  /** Is only incremented. */
  n: number;
  [key: `key ${string}`]: number;
}

/** What every route answers, of the session that the request was served with. */
export interface Served {
  readonly id: string;
  readonly isNew: boolean;
  readonly userId: string | undefined;
  readonly own: string | undefined;
  readonly n: number | undefined;
}

/**
 * An application on `node:http` as an adapter makes it: the session is stored before the answer leaves, and what the
 * store refuses becomes the answer's status. Below `/public` there is no session.
 */
export class WebApp {
  readonly origin: string;
  readonly #server: Server;

  private constructor(server: Server, origin: string) {
    this.#server = server;
    this.origin = origin;
  }

  static async listen(manager: SessionManager<FaultData>): Promise<WebApp> {
    const server = createServer((req, res) => {
      // It answers whatever happens, so there is nothing that could reject.
      void answer(manager, req, res);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return new WebApp(server, `http://127.0.0.1:${port}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Paths that have nothing to do with sessions. */
export function isPublic(head: RequestHead): boolean {
  return head.url.startsWith("/public");
}

async function answer(
  manager: SessionManager<FaultData>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const head = headOf(req);
  if (isPublic(head)) {
    res.end("public");
    return;
  }
  let visit: Visit<FaultData> | undefined;
  try {
    visit = await manager.visit(head, { remoteAddress: "127.0.0.1", encrypted: false });
    await handle(visit.session, head.url);
    await visit.commit();
    const served = viewOf(visit.session);
    visit.seal({
      get: (name) => res.getHeader(name)?.toString(),
      set: (name, value) => void res.setHeader(name, value),
      append: (name, value) => void res.appendHeader(name, value),
    });
    send(res, 200, served);
  } catch (error) {
    const known = isSessionError(error);
    for (const [name, value] of known ? Object.entries(error.headers) : []) {
      res.setHeader(name, value);
    }
    send(res, known ? error.status : 500, { code: known ? error.code : String(error) });
  }
  visit?.finish({ status: res.statusCode, responseSize: 0 });
}

/** `/add` increments `n`, `/put/<key>` sets a key, `/sign-out` does; everything else only looks. */
async function handle(session: Session<FaultData>, url: string): Promise<void> {
  const [, route, key = ""] = url.split("/");
  if (route === "add") session.increment("n");
  if (route === "put") session.set(`key ${key}`, 1);
  if (route === "sign-out") await session.signOut();
}

export function viewOf(session: Session<FaultData>): Served {
  const { id, isNew, userId } = session;
  return { id, isNew, userId, own: session.get("own"), n: session.get("n") };
}

function headOf(req: IncomingMessage): RequestHead {
  return {
    method: req.method ?? "GET",
    url: req.url ?? "/",
    headers: { get: (name) => req.headers[name.toLowerCase()]?.toString() ?? null },
  };
}

function send(res: ServerResponse, status: number, body: object): void {
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(body));
}
