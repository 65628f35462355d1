import { SessionManager } from "@kyb/session-core";
import type Koa from "koa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mount } from "../src/mount.ts";
import { session } from "../src/session.ts";
import { sessionApi } from "../src/session-api.ts";
import { Browser, type Data, koaVersions, listen, type Server } from "./support.ts";

const authorize = (): boolean => true;

/** As koa-mount does it: the path is shortened on the way in, and whole again on the way out. */
function below(prefix: string, middleware: Koa.Middleware): Koa.Middleware {
  return async (ctx, next) => {
    const { path } = ctx;
    if (path !== prefix && !path.startsWith(`${prefix}/`)) return next();
    ctx.mountPath = prefix;
    ctx.path = path.slice(prefix.length) || "/";
    await middleware(ctx, async () => {
      ctx.path = path;
      await next();
      ctx.path = path.slice(prefix.length) || "/";
    });
    ctx.path = path;
  };
}

/** As body parsers do it. */
const parseJson: Koa.Middleware = async (ctx, next) => {
  let text = "";
  for await (const chunk of ctx.req.setEncoding("utf8")) text += chunk;
  Object.assign(ctx.request, { body: text === "" ? {} : JSON.parse(text) });
  await next();
};

describe.each(await koaVersions())("sessionApi() on Koa $version", ({ Application }) => {
  let manager: SessionManager<Data>;
  let app: Koa;
  let server: Server | undefined;

  beforeEach(() => {
    manager = new SessionManager<Data>();
    app = new Application();
    app.silent = true;
  });

  afterEach(async () => {
    await server?.close();
    await manager.close();
  });

  async function visit(): Promise<Browser> {
    server = await listen(app);
    return new Browser(server);
  }

  it("answers behind session() with that visit, and is in no timeline", async () => {
    app
      .use(session(manager))
      .use(sessionApi(manager, { authorize }))
      .use((ctx) => {
        ctx.body = "home";
      });
    const browser = await visit();
    expect(await browser.text("/")).toBe("home");
    const answer = await browser.send("/v1/sessions/current");
    expect(answer.status).toBe(200);
    const { session: own } = (await answer.json()) as {
      session: { id: string; request_count: number };
    };
    expect(own.request_count).toBe(1);
    const { items } = await manager.activity(own.id);
    expect(items.map(({ endpoint }) => endpoint)).toEqual(["/"]);
  });

  it("makes a newcomer's session behind session() when it is asked for, with one cookie", async () => {
    app.use(session(manager)).use(sessionApi(manager, { authorize }));
    const browser = await visit();
    const answer = await browser.send("/v1/sessions/current");
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    expect((await manager.metrics()).totalSessions).toBe(1);
  });

  it("opens a visit of its own where no session() stands before it", async () => {
    app.use(sessionApi(manager, { authorize }));
    const browser = await visit();
    expect((await browser.send("/v1/sessions/current")).status).toBe(404);
    const made = await browser.send("/v1/sessions", { method: "POST" });
    expect(made.status).toBe(201);
    expect(made.headers.getSetCookie()).toHaveLength(1);
    expect((await browser.send("/v1/sessions/current")).status).toBe(200);
  });

  it("keeps what middleware before it set, each Set-Cookie one of its own (R-15)", async () => {
    app.use((ctx, next) => {
      ctx.cookies.set("a", "1");
      ctx.cookies.set("b", "2");
      ctx.set("X-Policy", "kept");
      return next();
    });
    app.use(sessionApi(manager, { authorize }));
    const answer = await (await visit()).send("/v1/sessions", { method: "POST" });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("X-Policy")).toBe("kept");
    const names = answer.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
    expect(names).toEqual(["a", "b", "kyb_session_id"]);
  });

  it("is not overwritten by what middleware further out answers afterwards", async () => {
    let isKoas: boolean | undefined;
    app.use(async (ctx, next) => {
      await next();
      isKoas = ctx.respond;
      ctx.body = "overwritten";
    });
    app.use(sessionApi(manager, { authorize }));
    const answer = await (await visit()).send("/v1/sessions");
    expect(await answer.json()).toMatchObject({ success: true });
    expect(isKoas).toBe(false);
  });

  it("passes on what is not its own, with the body unread", async () => {
    app
      .use(sessionApi(manager, { authorize }))
      .use(parseJson)
      .use((ctx) => {
        ctx.body = (ctx.request as { body?: unknown }).body;
      });
    const browser = await visit();
    for (const path of ["/v1/sessionsx", "/100%25"]) {
      const answer = await browser.send(path, { method: "POST", body: '{"read":"later"}' });
      expect(await answer.json()).toEqual({ read: "later" });
    }
  });

  it.each<{ place: string; path: string; build: (api: Koa.Middleware) => Koa.Middleware }>([
    { place: "under a prefix", path: "/admin/v1/sessions", build: (api) => below("/admin", api) },
    {
      place: "under two prefixes",
      path: "/a/b/v1/sessions",
      build: (api) => below("/a", below("/b", api)),
    },
    {
      place: "where the prefix is the base path",
      path: "/admin/v1/sessions",
      build: (api) => below("/admin/v1/sessions", api),
    },
  ])("answers $place (R-66)", async ({ path, build }) => {
    app.use(build(sessionApi(manager, { authorize })));
    const browser = await visit();
    const list = await browser.send(`${path}?limit=1`);
    expect(list.status).toBe(200);
    expect(await list.json()).toMatchObject({ success: true, count: 0 });
    expect((await browser.send(`${path}/metrics`)).status).toBe(200);
    expect((await browser.send("/elsewhere/v1/sessions")).status).toBe(404);
  });

  it("knows its path in any encoding (R-66)", async () => {
    app.use(sessionApi(manager, { authorize }));
    const browser = await visit();
    expect((await browser.send("/v1/sess%69ons/metrics")).status).toBe(200);
    expect((await browser.send("/v1%2Fsessions/metrics")).status).toBe(404);
  });

  it.each([
    { place: "before", build: (api: Koa.Middleware) => [api, parseJson] },
    { place: "after", build: (api: Koa.Middleware) => [parseJson, api] },
  ])("reads its body $place a body parser", async ({ build }) => {
    for (const middleware of build(sessionApi(manager, { authorize }))) app.use(middleware);
    const answer = await (await visit()).send("/v1/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user_id: "user123", metadata: { note: "from the body" } }),
    });
    expect(answer.status).toBe(201);
    const { items } = await manager.list({ userId: "user123" });
    expect(items).toMatchObject([{ userId: "user123", metadata: { note: "from the body" } }]);
  });

  it("is asked for another manager's sessions with a visit of that manager", async () => {
    const other = new SessionManager<Data>();
    app.use(session(other)).use(sessionApi(manager, { authorize }));
    const browser = await visit();
    await browser.send("/");
    expect((await browser.send("/v1/sessions/current")).status).toBe(404);
    await other.close();
  });

  it("knows the connection that the application tells it", async () => {
    const seen: (string | undefined)[] = [];
    app.use(
      sessionApi(manager, {
        authorize: ({ connection }) => seen.push(connection.remoteAddress) > 0,
        connection: () => ({ remoteAddress: "192.0.2.9" }),
      }),
    );
    await (await visit()).send("/v1/sessions");
    expect(seen).toContain("192.0.2.9");
  });

  it("serves any fetch handler by mount(), and throws what it throws", async () => {
    const handler = mount(
      (request, connection, context) => {
        if (request.url.endsWith("/fail"))
          throw Object.assign(new Error("its own"), { status: 418, expose: true });
        if (!request.url.endsWith("/me")) return undefined;
        const { remoteAddress } = connection ?? {};
        return Response.json({
          remoteAddress,
          at: context?.mountPath,
          id: context?.visit?.session.id,
        });
      },
      { manager },
    );
    app
      .use(session(manager))
      .use(below("/pages", handler))
      .use((ctx) => {
        ctx.body = ctx.session.id;
      });
    const browser = await visit();
    const id = await browser.text("/pages/other");
    expect(await (await browser.send("/pages/me")).json()).toEqual({
      remoteAddress: "127.0.0.1",
      at: "/pages",
      id,
    });
    const failed = await browser.send("/pages/fail");
    expect(failed.status).toBe(418);
    expect(await failed.text()).toBe("its own");
  });
});
