import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connectionOf, headOf, session, sessionOf } from "@kyb/session-node";
import { getIronSession } from "iron-session";
import { Floor } from "./floor.ts";
import { linesOf, ourManager, trackedBy } from "./ours.ts";
import { type Running, userOf, type Variants } from "./variant.ts";

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export const variants: Variants = {
  bare,
  floor: () => floor(false),
  "floor-sha": () => floor(true),
  ours,
  "core alone": coreAlone,
  "iron-session": () => peer(false),
  "iron-session-save": () => peer(true),
};

function listen(handler: Handler, tracked?: Running["tracked"]): Promise<Running> {
  return new Promise((resolve) => {
    const server = createServer(handler).listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("No port.");
      server.keepAliveTimeout = 0;
      resolve({ port: address.port, ...(tracked === undefined ? {} : { tracked }) });
    });
  });
}

function sendJson(res: ServerResponse, value: unknown): number {
  const body = JSON.stringify(value);
  const length = Buffer.byteLength(body);
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.setHeader("Content-Length", length);
  res.end(body);
  return length;
}

async function bare(): Promise<Running> {
  return listen((req, res) => {
    if (isStart(req)) {
      res.setHeader("Set-Cookie", `sid=${"x".repeat(76)}; HttpOnly`);
      sendJson(res, { user: userOf(req.url ?? "") });
    } else {
      sendJson(res, { user: "u0", n: 1 });
    }
  });
}

async function floor(hashes: boolean): Promise<Running> {
  const tracker = new Floor(hashes);
  return listen(
    (req, res) => {
      const url = req.url ?? "";
      if (isStart(req)) {
        res.setHeader("Set-Cookie", `${tracker.start(userOf(url))}; HttpOnly`);
        sendJson(res, { user: userOf(url) });
        return;
      }
      const now = Date.now();
      const found = tracker.find(req.headers.cookie, now);
      if (found === undefined) {
        sendJson(res, { user: undefined, n: 0 });
        return;
      }
      const startedAt = performance.now();
      const bytes =
        url === "/log"
          ? sendJson(res, { entries: tracker.lines(found) })
          : sendJson(res, { user: found.user, n: found.count });
      tracker.track(found, {
        now,
        path: url,
        isGet: req.method === "GET",
        status: res.statusCode,
        duration: performance.now() - startedAt,
        bytes,
      });
    },
    () => tracker.total,
  );
}

async function ours(): Promise<Running> {
  const manager = ourManager();
  const open = session(manager);
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const own = sessionOf(manager, req);
    if (isStart(req)) {
      await own.signIn(userOf(req.url ?? ""));
      sendJson(res, { user: own.userId });
    } else {
      sendJson(res, { entries: await linesOf(manager, own.id) });
    }
  };
  return listen(
    (req, res) =>
      open(req, res, (error) => {
        if (error !== undefined) {
          res.statusCode = 500;
          res.end(String(error));
        } else if (req.url === "/") {
          const own = sessionOf(manager, req);
          sendJson(res, { user: own.userId, n: own.requestCount });
        } else {
          void serve(req, res);
        }
      }),
    () => trackedBy(manager),
  );
}

/** Ours without what follows the response on its way out, to tell what of the cost is the core's and what the adapter's. */
async function coreAlone(): Promise<Running> {
  const manager = ourManager();
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const visit = await manager.visit(headOf(req), connectionOf(req));
    const own = visit.session;
    if (isStart(req)) {
      await own.signIn(userOf(req.url ?? ""));
      res.setHeader("Set-Cookie", await visit.commit());
    }
    const body =
      req.url === "/log"
        ? { entries: await linesOf(manager, own.id) }
        : { user: own.userId, n: own.requestCount };
    const responseSize = sendJson(res, body);
    visit.finish({ status: res.statusCode, responseSize });
  };
  return listen(
    (req, res) => void serve(req, res),
    () => trackedBy(manager),
  );
}

/** iron-session: everything is in the cookie; `saves` counts in the session, so that each answer sets it anew. */
async function peer(saves: boolean): Promise<Running> {
  const options = { password: "a secret of more than thirty-two characters", cookieName: "iron" };
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const own = await getIronSession<{ user?: string; n?: number }>(req, res, options);
    if (isStart(req)) {
      own.user = userOf(req.url ?? "");
      await own.save();
      sendJson(res, { user: own.user });
      return;
    }
    if (saves && own.user !== undefined) {
      own.n = (own.n ?? 0) + 1;
      await own.save();
    }
    sendJson(res, { user: own.user, n: own.n ?? 0 });
  };
  return listen((req, res) => void serve(req, res));
}

function isStart(req: IncomingMessage): boolean {
  return req.url?.startsWith("/start") === true;
}
