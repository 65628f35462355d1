import { session } from "@kyb/session-hono";
import { Hono } from "hono";
import { MemoryStore, type Session, sessionMiddleware } from "hono-sessions";
import { Floor, type FloorSession } from "./floor.ts";
import { linesOf, ourManager, trackedBy } from "./ours.ts";
import { type LogLine, logged } from "./peer-log.ts";
import { type Running, userOf } from "./variant.ts";

/** An application that any host can serve, and how to ask what it has counted. */
export interface HonoApplication {
  readonly fetch: (request: Request, env?: unknown) => Response | Promise<Response>;
  readonly tracked?: Running["tracked"];
}

export const applications: Readonly<Record<string, () => HonoApplication>> = {
  bare,
  floor: () => floor(false),
  "floor-sha": () => floor(true),
  ours,
  "hono-sessions": () => peer(false),
  "hono-sessions-log": () => peer(true),
};

function bare(): HonoApplication {
  const app = new Hono();
  app.get("/start", (c) => {
    c.header("Set-Cookie", `sid=${"x".repeat(76)}; HttpOnly`);
    return c.json({ user: userOf(c.req.url) });
  });
  app.get("/", (c) => c.json({ user: "u0", n: 1 }));
  return app;
}

function floor(hashes: boolean): HonoApplication {
  const tracker = new Floor(hashes);
  const app = new Hono<{ Variables: { session: FloorSession | undefined } }>();
  app.use(async (c, next) => {
    const now = Date.now();
    const found = tracker.find(c.req.header("cookie"), now);
    if (found === undefined) return next();
    const startedAt = performance.now();
    c.set("session", found);
    await next();
    tracker.track(found, {
      now,
      path: c.req.path,
      isGet: c.req.method === "GET",
      status: c.res.status,
      duration: performance.now() - startedAt,
      bytes: 24,
    });
  });
  app.get("/start", (c) => {
    c.header("Set-Cookie", `${tracker.start(userOf(c.req.url))}; HttpOnly`);
    return c.json({ user: userOf(c.req.url) });
  });
  app.get("/", (c) => {
    const found = c.get("session");
    return c.json({ user: found?.user, n: found?.count ?? 0 });
  });
  app.get("/log", (c) => {
    const found = c.get("session");
    return c.json({ entries: found === undefined ? 0 : tracker.lines(found) });
  });
  return { fetch: (request, env) => app.fetch(request, env), tracked: () => tracker.total };
}

function ours(): HonoApplication {
  const manager = ourManager();
  const app = new Hono()
    .use(session(manager))
    .get("/start", async (c) => {
      await c.var.session.signIn(userOf(c.req.url));
      return c.json({ user: c.var.session.userId });
    })
    .get("/", (c) => c.json({ user: c.var.session.userId, n: c.var.session.requestCount }))
    .get("/log", async (c) => c.json({ entries: await linesOf(manager, c.var.session.id) }));
  return {
    fetch: (request, env) => app.fetch(request, env as object),
    tracked: () => trackedBy(manager),
  };
}

/** hono-sessions with its own store in memory, unencrypted: the fastest way it has. */
function peer(logs: boolean): HonoApplication {
  interface Data {
    user: string;
    log: LogLine[];
  }
  const app = new Hono<{ Variables: { session: Session<Data> } }>();
  app.use(
    sessionMiddleware({
      store: new MemoryStore(),
      expireAfterSeconds: 24 * 60 * 60,
      cookieOptions: { path: "/", httpOnly: true, sameSite: "Lax" },
    }) as never,
  );
  app.get("/start", (c) => {
    c.get("session").set("user", userOf(c.req.url));
    return c.json({ user: userOf(c.req.url) });
  });
  app.get("/", (c) => {
    const found = c.get("session");
    const user = found.get("user");
    if (!logs || user === null || user === undefined)
      return c.json({ user: user ?? undefined, n: 0 });
    const log = logged(found.get("log") ?? undefined, c.req.method, c.req.path);
    found.set("log", log);
    return c.json({ user, n: log.length });
  });
  app.get("/log", (c) => c.json({ entries: c.get("session").get("log")?.length ?? 0 }));
  return { fetch: (request, env) => app.fetch(request, env as object) };
}
