import { session, sessionOf } from "@kyb/session-express/pure";
import express, { type Express, type Request } from "express";
import expressSession, { type Store } from "express-session";
import memorystore from "memorystore";
import { Floor } from "./floor.ts";
import { type BenchData, linesOf, ourManager, trackedBy } from "./ours.ts";
import { type LogLine, logged } from "./peer-log.ts";
import { type Running, userOf, type Variants } from "./variant.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
    log: LogLine[];
  }
}

export const variants: Variants = {
  bare,
  floor: () => floor(false),
  "floor-sha": () => floor(true),
  ours: () => ours(),
  // The third argument: how many sessions there may be.
  "ours-limited": () => ours(ourManager(undefined, { maxSessions: Number(process.argv[4]) })),
  "express-session": () => peer(undefined),
  "express-session-log": () => peerWithLog(undefined),
  memorystore: () => peer(memoryStorePeer()),
  "memorystore-log": () => peerWithLog(memoryStorePeer()),
};

/** An application as it comes. */
export function application(): Express {
  const app = express();
  // Switched off in any production; hashing the answer would blur what is compared.
  app.disable("etag");
  app.disable("x-powered-by");
  return app;
}

export function listen(app: Express, tracked?: Running["tracked"]): Promise<Running> {
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("No port.");
      server.keepAliveTimeout = 0;
      resolve({ port: address.port, ...(tracked === undefined ? {} : { tracked }) });
    });
  });
}

/** A host without sessions. */
export async function bare(): Promise<Running> {
  const app = application();
  app.get("/start", (req, res) => {
    res.setHeader("Set-Cookie", `sid=${"x".repeat(76)}; HttpOnly`);
    res.json({ user: userOf(req.url) });
  });
  app.get("/", (_req, res) => {
    res.json({ user: "u0", n: 1 });
  });
  return listen(app);
}

async function floor(hashes: boolean): Promise<Running> {
  const tracker = new Floor(hashes);
  const app = application();
  app.use((req, res, next) => {
    const now = Date.now();
    const found = tracker.find(req.headers.cookie, now);
    if (found === undefined) {
      next();
      return;
    }
    const startedAt = performance.now();
    res.locals.session = found;
    res.on("finish", () => {
      tracker.track(found, {
        now,
        path: req.path,
        isGet: req.method === "GET",
        status: res.statusCode,
        duration: performance.now() - startedAt,
        bytes: Number(res.getHeader("content-length")),
      });
    });
    next();
  });
  app.get("/start", (req, res) => {
    res.setHeader("Set-Cookie", `${tracker.start(userOf(req.url))}; HttpOnly`);
    res.json({ user: userOf(req.url) });
  });
  app.get("/", (_req, res) => {
    const found = res.locals.session;
    res.json({ user: found?.user, n: found?.count ?? 0 });
  });
  app.get("/log", (_req, res) => {
    res.json({ entries: tracker.lines(res.locals.session) });
  });
  return listen(app, () => tracker.total);
}

/** Our own, on whatever store the manager has. */
export async function ours(manager = ourManager()): Promise<Running> {
  const app = application();
  app.use(session(manager));
  const of = (req: Request): ReturnType<typeof sessionOf<BenchData>> => sessionOf(manager, req);
  app.get("/start", async (req, res) => {
    await of(req).signIn(userOf(req.url));
    res.json({ user: of(req).userId });
  });
  app.get("/", (req, res) => {
    const own = of(req);
    res.json({ user: own.userId, n: own.requestCount });
  });
  app.get("/write", (req, res) => {
    of(req).set("mark", Date.now());
    res.json({ user: of(req).userId });
  });
  app.get("/log", async (req, res) => {
    res.json({ entries: await linesOf(manager, of(req).id) });
  });
  return listen(app, () => trackedBy(manager));
}

/** express-session, which only reads. */
export async function peer(store: Store | undefined): Promise<Running> {
  const app = peerApplication(store);
  app.get("/", (req, res) => {
    res.json({ user: req.session.user, n: 0 });
  });
  return listen(app);
}

/** express-session with the timeline in the session, where its users keep it. */
export async function peerWithLog(store: Store | undefined): Promise<Running> {
  const app = peerApplication(store);
  app.get("/", (req, res) => {
    const { user } = req.session;
    if (user !== undefined) req.session.log = logged(req.session.log, req.method, req.path);
    res.json({ user, n: req.session.log?.length ?? 0 });
  });
  app.get("/log", (req, res) => {
    res.json({ entries: req.session.log?.length ?? 0 });
  });
  return listen(app);
}

function peerApplication(store: Store | undefined): Express {
  const app = application();
  app.use(
    expressSession({
      secret: "a secret of more than thirty-two characters",
      resave: false,
      saveUninitialized: false,
      store: store ?? new expressSession.MemoryStore(),
    }),
  );
  app.get("/start", (req, res) => {
    req.session.user = userOf(req.url);
    res.json({ user: req.session.user });
  });
  return app;
}

function memoryStorePeer(): Store {
  const MemoryStore = memorystore(expressSession);
  return new MemoryStore({ checkPeriod: 24 * 60 * 60 * 1000 });
}
