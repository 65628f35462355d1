import { SessionManager } from "@kyb/session-core";
import { createSessionApi } from "@kyb/session-core/api";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mount } from "../src/mount.ts";
import { type SessionEnv, session } from "../src/session.ts";
import { sessionApi } from "../src/session-api.ts";
import { Browser, type Data, type Host, inProcess, onNode } from "./support.ts";

const authorize = (): boolean => true;

describe.each([
  { name: "in process", start: inProcess },
  { name: "on Hono's Node server", start: onNode },
])("sessionApi() $name", ({ start }) => {
  const opened: Host[] = [];
  let manager: SessionManager<Data>;

  beforeEach(() => {
    manager = new SessionManager<Data>();
  });

  afterEach(async () => {
    for (const host of opened.splice(0)) await host.close();
    await manager.close();
  });

  async function visit(app: Hono): Promise<Browser> {
    const host = await start(app);
    opened.push(host);
    return new Browser(host);
  }

  it("answers behind session() with that visit, and is in no timeline", async () => {
    const app = new Hono();
    app.use(session(manager), sessionApi(manager, { authorize }));
    app.get("/", (c) => c.text("home"));
    const browser = await visit(app);
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
    const app = new Hono();
    app.use(session(manager), sessionApi(manager, { authorize }));
    const browser = await visit(app);
    const answer = await browser.send("/v1/sessions/current");
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    expect((await manager.metrics()).totalSessions).toBe(1);
  });

  it("opens a visit of its own where no session() stands before it", async () => {
    const app = new Hono();
    app.use(sessionApi(manager, { authorize }));
    const browser = await visit(app);
    expect((await browser.send("/v1/sessions/current")).status).toBe(404);
    const made = await browser.send("/v1/sessions", { method: "POST" });
    expect(made.status).toBe(201);
    expect(made.headers.getSetCookie()).toHaveLength(1);
    expect((await browser.send("/v1/sessions/current")).status).toBe(200);
  });

  it("passes on what is not its own, with the body unread", async () => {
    const app = new Hono();
    app.use(sessionApi(manager, { authorize }));
    app.post("/v1/sessionsx", async (c) => c.text(`read: ${await c.req.text()}`));
    const browser = await visit(app);
    expect(await browser.text("/v1/sessionsx", { method: "POST", body: "body" })).toBe(
      "read: body",
    );
    expect((await browser.send("/")).status).toBe(404);
  });

  it("is asked for another manager's sessions with a visit of that manager", async () => {
    const other = new SessionManager<Data>();
    const app = new Hono();
    app.use(session(other), sessionApi(manager, { authorize }));
    const browser = await visit(app);
    await browser.send("/");
    expect((await browser.send("/v1/sessions/current")).status).toBe(404);
    await other.close();
  });

  const places: {
    place: string;
    path: string;
    build: (api: ReturnType<typeof sessionApi>) => Hono;
  }[] = [
    {
      place: "under a prefix",
      path: "/admin/v1/sessions",
      build: (api) => new Hono().use("/admin/*", api),
    },
    {
      place: "where the prefix is the base path",
      path: "/admin/v1/sessions",
      build: (api) => new Hono().use("/admin/v1/sessions/*", api),
    },
    {
      place: "for one exact path",
      path: "/v1/sessions",
      build: (api) => new Hono().get("/v1/sessions", api),
    },
    {
      place: "under a parameter",
      path: "/tenants/7/v1/sessions",
      build: (api) => new Hono().use("/tenants/:id/*", api),
    },
    {
      place: "in a route of another application",
      path: "/admin/v1/sessions",
      build: (api) => new Hono().route("/admin", new Hono().use(api)),
    },
    {
      place: "in a route with error handling of its own",
      path: "/admin/v1/sessions",
      build: (api) =>
        new Hono().route(
          "/admin",
          new Hono().use(api).onError((_e, c) => c.text("own", 500)),
        ),
    },
    {
      place: "below a base path of Hono's",
      path: "/admin/v1/sessions",
      build: (api) => new Hono().basePath("/admin").use("*", api) as unknown as Hono,
    },
    {
      place: "in a mounted application, whose prefix Hono strips",
      path: "/admin/v1/sessions",
      build: (api) => new Hono().mount("/admin", new Hono().use(api).fetch),
    },
  ];

  it.each(places)("answers $place (R-66)", async ({ path, build }) => {
    const browser = await visit(build(sessionApi(manager, { authorize })));
    const list = await browser.send(path);
    expect(list.status).toBe(200);
    expect(await list.json()).toMatchObject({ success: true, count: 0 });
    expect((await browser.send(path.replace("v1", "%761"))).status).toBe(200);
    expect((await browser.send("/elsewhere/v1/sessions")).status).toBe(404);
  });

  it("reads a body that was read before it by Hono", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.json();
      await next();
    });
    app.use(sessionApi(manager, { authorize }));
    const browser = await visit(app);
    const answer = await browser.send("/v1/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user_id: "user123", metadata: { note: "from the body" } }),
    });
    expect(answer.status).toBe(201);
    const { items } = await manager.list({ userId: "user123" });
    expect(items).toMatchObject([{ userId: "user123", metadata: { note: "from the body" } }]);
  });

  it("passes on a request whose body is gone", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.raw.text();
      await next();
    });
    app.use(mount(createSessionApi(manager, { authorize })));
    app.post("/form", (c) => c.text("handled"));
    const browser = await visit(app);
    expect(await browser.text("/form", { method: "POST", body: "gone" })).toBe("handled");
  });

  it("knows the connection that the application tells it", async () => {
    const seen: (string | undefined)[] = [];
    const app = new Hono();
    app.use(
      sessionApi(manager, {
        authorize: ({ connection }) => seen.push(connection.remoteAddress) > 0,
        connection: () => ({ remoteAddress: "192.0.2.9" }),
      }),
    );
    await (await visit(app)).send("/v1/sessions");
    expect(seen).toContain("192.0.2.9");
  });

  it("serves any fetch handler by mount()", async () => {
    const app = new Hono<SessionEnv<Data>>();
    app.use(session(manager));
    app.use(
      "/pages/*",
      mount(
        (request, connection, context) => {
          if (!request.url.endsWith("/me")) return undefined;
          const { encrypted } = connection ?? {};
          return Response.json({
            encrypted,
            at: context?.mountPath,
            id: context?.visit?.session.id,
          });
        },
        { manager },
      ),
    );
    app.get("/pages/other", (c) => c.text(c.var.session.id));
    const browser = await visit(app as unknown as Hono);
    const id = await browser.text("/pages/other");
    expect(await (await browser.send("/pages/me")).json()).toEqual({
      encrypted: false,
      at: "/pages",
      id,
    });
  });
});
