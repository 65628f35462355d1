import type { Server } from "node:http";
import { session } from "@kyb/session-koa";
import Koa, { type Context } from "koa";
import koaSession from "koa-session";
import { Floor } from "./floor.ts";
import { linesOf, ourManager, trackedBy } from "./ours.ts";
import { type LogLine, logged } from "./peer-log.ts";
import { type Running, userOf, type Variants } from "./variant.ts";

export const variants: Variants = {
  bare,
  floor: () => floor(false),
  "floor-sha": () => floor(true),
  ours,
  "koa-session": () => peer(false),
  "koa-session-log": () => peer(true),
};

function listen(app: Koa, tracked?: Running["tracked"]): Promise<Running> {
  return new Promise((resolve) => {
    const server: Server = app.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("No port.");
      server.keepAliveTimeout = 0;
      resolve({ port: address.port, ...(tracked === undefined ? {} : { tracked }) });
    });
  });
}

async function bare(): Promise<Running> {
  const app = new Koa();
  app.use((ctx) => {
    if (ctx.path === "/start") {
      ctx.set("Set-Cookie", `sid=${"x".repeat(76)}; HttpOnly`);
      ctx.body = { user: userOf(ctx.url) };
    } else {
      ctx.body = { user: "u0", n: 1 };
    }
  });
  return listen(app);
}

async function floor(hashes: boolean): Promise<Running> {
  const tracker = new Floor(hashes);
  const app = new Koa();
  app.use(async (ctx, next) => {
    const now = Date.now();
    const found = tracker.find(ctx.headers.cookie, now);
    if (found === undefined) return next();
    const startedAt = performance.now();
    ctx.state.session = found;
    await next();
    tracker.track(found, {
      now,
      path: ctx.path,
      isGet: ctx.method === "GET",
      status: ctx.status,
      duration: performance.now() - startedAt,
      bytes: ctx.length ?? 0,
    });
  });
  app.use((ctx) => {
    const found = ctx.state.session;
    if (ctx.path === "/start") {
      ctx.set("Set-Cookie", `${tracker.start(userOf(ctx.url))}; HttpOnly`);
      ctx.body = { user: userOf(ctx.url) };
    } else if (ctx.path === "/log") {
      ctx.body = { entries: tracker.lines(found) };
    } else {
      ctx.body = { user: found?.user, n: found?.count ?? 0 };
    }
  });
  return listen(app, () => tracker.total);
}

async function ours(): Promise<Running> {
  const manager = ourManager();
  const app = new Koa();
  app.use(session(manager)).use(async (ctx) => {
    if (ctx.path === "/start") {
      await ctx.session.signIn(userOf(ctx.url));
      ctx.body = { user: ctx.session.userId };
    } else if (ctx.path === "/log") {
      ctx.body = { entries: await linesOf(manager, ctx.session.id) };
    } else {
      ctx.body = { user: ctx.session.userId, n: ctx.session.requestCount };
    }
  });
  return listen(app, () => trackedBy(manager));
}

/** koa-session with a `Map` as its external store. */
async function peer(logs: boolean): Promise<Running> {
  const app = new Koa();
  app.keys = ["a secret of more than thirty-two characters"];
  const sessions = new Map<string, unknown>();
  const store = {
    get: async (key: string): Promise<unknown> => sessions.get(key),
    set: async (key: string, value: unknown): Promise<void> => {
      sessions.set(key, value);
    },
    destroy: async (key: string): Promise<void> => {
      sessions.delete(key);
    },
  };
  app.use(koaSession({ store } as never, app as never) as unknown as Koa.Middleware);
  app.use((ctx) => {
    const data = sessionData(ctx);
    if (ctx.path === "/start") {
      data.user = userOf(ctx.url);
      ctx.body = { user: data.user };
    } else if (ctx.path === "/log") {
      ctx.body = { entries: data.log?.length ?? 0 };
    } else {
      if (logs && data.user !== undefined) data.log = logged(data.log, ctx.method, ctx.path);
      ctx.body = { user: data.user, n: data.log?.length ?? 0 };
    }
  });
  return listen(app);
}

function sessionData(ctx: Context): { user?: string; log?: LogLine[] } {
  return (ctx as unknown as { session: { user?: string; log?: LogLine[] } }).session;
}
