import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { isSessionError, type SessionEvents, SessionManager } from "@kyb/session-core";
import type Koa from "koa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SessionContext, session } from "../src/session.ts";
import {
  Browser,
  type Data,
  koaVersions,
  listen,
  ManualClock,
  type Server,
  TestStore,
} from "./support.ts";

type App = Koa<Koa.DefaultState, SessionContext<Data>>;

describe.each(await koaVersions())("session() on Koa $version", ({ version, Application }) => {
  let clock: ManualClock;
  let store: TestStore;
  let manager: SessionManager<Data>;
  let app: App;
  let errors: unknown[];
  let server: Server;
  let browser: Browser;

  beforeEach(async () => {
    clock = new ManualClock();
    store = new TestStore();
    manager = new SessionManager<Data>({ store: store.store, clock });
    app = new Application();
    errors = [];
    app.on("error", (error) => errors.push(error));
  });

  afterEach(async () => {
    await server.close();
    await manager.close();
  });

  type Handler = Parameters<App["use"]>[0];

  /** Starts the application with these paths; `/note` answers what the session holds. */
  async function start(handlers: Record<string, Handler>): Promise<void> {
    app.use((ctx, next) => {
      if (ctx.path !== "/note") return handlers[ctx.path]?.(ctx, next);
      ctx.body = ctx.session.get("note") ?? "none";
    });
    server = await listen(app);
    browser = new Browser(server);
  }

  /** A known session, so that a commit is the only call to the store that a change makes. */
  async function settle(): Promise<void> {
    await browser.text("/note");
    await store.entry();
  }

  describe("state", () => {
    it("is stored before the redirect that leads to its reader (R-79)", async () => {
      app.use(session(manager));
      await start({
        "/set": (ctx) => {
          ctx.session.set("note", `${ctx.query.to}`);
          ctx.redirect("/note");
        },
      });
      for (const note of ["one", "two", "three"]) {
        const answer = await browser.send(`/set?to=${note}`);
        expect(answer.status).toBe(302);
        expect(await browser.text(answer.headers.get("Location") ?? "")).toBe(note);
      }
    });

    it("is awaited: the answer leaves when the store has it, not before", async () => {
      app.use(session(manager));
      await start({
        "/set": (ctx) => {
          ctx.session.set("note", "stored");
          ctx.body = "done";
        },
      });
      await settle();
      const commit = store.hold("commit");
      let isAnswered = false;
      const answer = browser.text("/set").then(() => {
        isAnswered = true;
      });
      await commit.arrived;
      expect(isAnswered).toBe(false);
      commit.release();
      await answer;
      expect(await browser.text("/note")).toBe("stored");
    });

    it("changed before a throw is stored, and Koa's error handling answers, with the cookie", async () => {
      app.use(session(manager));
      await start({
        "/fail": (ctx) => {
          ctx.session.set("note", "before the throw");
          ctx.throw(418, "the handler's own");
        },
      });
      const answer = await browser.send("/fail");
      expect(answer.status).toBe(418);
      expect(await answer.text()).toBe("the handler's own");
      expect(answer.headers.getSetCookie()).toHaveLength(1);
      expect(await browser.text("/note")).toBe("before the throw");
      expect(errors).toHaveLength(1);
    });

    it("changed by middleware further out is stored before the answer is complete", async () => {
      app.use(async (ctx, next) => {
        await next();
        ctx.session.set("note", "from further out");
      });
      app.use(session(manager));
      await start({});
      await browser.text("/note");
      expect(await browser.text("/note")).toBe("from further out");
    });

    it("changed while a body streams is stored before the end of it", async () => {
      app.use(session(manager));
      await start({
        "/stream": (ctx) => {
          const { session } = ctx;
          ctx.body = Readable.from(
            (async function* () {
              yield "begun, ";
              session.set("note", "changed at the end");
              yield "ended";
            })(),
          );
        },
      });
      await settle();
      const commit = store.hold("commit");
      const answer = await browser.send("/stream");
      let isComplete = false;
      const complete = answer.text().then((text) => {
        isComplete = true;
        return text;
      });
      await commit.arrived;
      expect(isComplete).toBe(false);
      commit.release();
      expect(await complete).toBe("begun, ended");
      expect(await browser.text("/note")).toBe("changed at the end");
    });

    it("is that of one visit, where the middleware stands twice in the way", async () => {
      app.use(session(manager)).use(session(manager));
      await start({
        "/id": (ctx) => {
          ctx.body = ctx.session.id;
        },
      });
      const answer = await browser.send("/id");
      expect(answer.headers.getSetCookie()).toHaveLength(1);
      expect((await manager.get(await answer.text()))?.requestCount).toBe(1);
    });
  });

  describe("headers", () => {
    it("keep the application's cookies in order, and carry one session cookie (R-15)", async () => {
      app.use(session(manager));
      await start({
        "/cookies": async (ctx) => {
          ctx.cookies.set("a", "1");
          await ctx.session.signIn("user-1");
          await ctx.session.regenerate();
          ctx.cookies.set("b", "2");
          ctx.body = "cookies";
        },
      });
      const cookies = (await browser.send("/cookies")).headers.getSetCookie();
      expect(cookies.map((cookie) => cookie.split("=")[0])).toEqual(["a", "b", "kyb_session_id"]);
    });

    it("say that the answer depends on the cookie, where it does (R-82)", async () => {
      app.use(session(manager));
      await start({
        "/public": (ctx) => {
          ctx.body = "the same for all";
        },
        "/both": (ctx) => {
          ctx.vary("Accept-Encoding");
          ctx.body = `${ctx.session.get("views")}`;
        },
      });
      expect((await browser.send("/public")).headers.get("Cache-Control")).toBe("no-store");
      expect((await browser.send("/public")).headers.get("Vary")).toBe(null);
      expect((await browser.send("/both")).headers.get("Vary")).toBe("Accept-Encoding, Cookie");
    });
  });

  describe("the client", () => {
    it("is the peer of the socket, whatever ctx.ip says", async () => {
      app.proxy = true;
      app.use(session(manager));
      await start({
        "/who": (ctx) => {
          ctx.body = `${ctx.ip} ${ctx.session.ipAddress}`;
        },
      });
      const headers = { "X-Forwarded-For": "192.0.2.1, 198.51.100.2" };
      expect(await browser.text("/who", { headers })).toBe("192.0.2.1 127.0.0.1");
    });

    it("is whom the application's `connection` names", async () => {
      app.use(
        session(manager, {
          connection: (ctx) => ({ remoteAddress: ctx.get("X-Peer"), encrypted: true }),
        }),
      );
      await start({
        "/who": (ctx) => {
          ctx.body = ctx.session.ipAddress;
        },
      });
      const answer = await browser.send("/who", { headers: { "X-Peer": "192.0.2.9" } });
      expect(await answer.text()).toBe("192.0.2.9");
      expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-kyb_session_id=.*; Secure/);
    });
  });

  describe("while the store is down", () => {
    it("answers 503 before the handler runs, and clears no cookie (R-77)", async () => {
      let runs = 0;
      app.use(session(manager));
      await start({
        "/count": (ctx) => {
          ctx.body = `${++runs}`;
        },
      });
      await browser.text("/count");
      store.fail("find");
      const answer = await browser.send("/count");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toBe("1");
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(await answer.text()).toBe("Service Unavailable");
      expect(runs).toBe(1);
    });

    it("takes back an answer whose state could not be stored (R-79)", async () => {
      app.use(session(manager));
      await start({
        "/buy": (ctx) => {
          ctx.session.set("note", "bought");
          ctx.set("Cache-Control", "public, max-age=3600");
          ctx.redirect("/thanks");
        },
      });
      await settle();
      store.fail("commit");
      const answer = await browser.send("/buy");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toBe("1");
      expect(answer.headers.get("Location")).toBe(null);
      expect(answer.headers.get("Cache-Control")).toBe(null);
      expect(errors).toMatchObject([{ code: "STORE_UNAVAILABLE" }]);
      expect((await store.entry()).statusCode).toBe(503);
      store.recover();
      expect(await browser.text("/note")).toBe("none");
    });

    it("throws to the application's own error handling, with nothing left of the answer", async () => {
      app.use(async (ctx, next) => {
        ctx.set("X-Policy", "kept");
        try {
          await next();
        } catch (error) {
          if (ctx.path === "/set") ctx.body = isSessionError(error) ? error.code : "unknown";
        }
      });
      app.use(session(manager));
      await start({
        "/set": (ctx) => {
          ctx.session.set("note", "lost");
          ctx.set("ETag", '"1"');
          ctx.redirect("/thanks");
        },
        "/json": (ctx) => {
          ctx.session.set("note", "lost");
          ctx.body = { note: "lost" };
        },
      });
      await settle();
      store.fail("commit");
      const answer = await browser.send("/set");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("X-Policy")).toBe("kept");
      expect(answer.headers.get("ETag")).toBe(null);
      expect(answer.headers.get("Location")).toBe(null);
      expect(await answer.text()).toBe("STORE_UNAVAILABLE");
      const unsaid = await browser.send("/json");
      expect(unsaid.status).toBe(503);
      expect(await unsaid.text()).toBe("");
    });

    it("closes the stream that it takes back", async () => {
      const body = Readable.from(["never", "sent"]);
      app.use(session(manager));
      await start({
        "/stream": (ctx) => {
          ctx.session.set("note", "lost");
          ctx.body = body;
        },
      });
      await settle();
      store.fail("commit");
      expect((await browser.send("/stream")).status).toBe(503);
      expect(body.destroyed).toBe(true);
    });

    it("answers 503 also where the change came after the middleware", async () => {
      app.use(async (ctx, next) => {
        await next();
        if (ctx.path === "/late") ctx.session.set("note", "lost");
      });
      app.use(session(manager));
      await start({
        "/late": (ctx) => {
          ctx.body = "done";
        },
      });
      await settle();
      store.fail("commit");
      const answer = await browser.send("/late");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toBe("1");
      expect(errors).toMatchObject([{ code: "STORE_UNAVAILABLE" }]);
    });

    it("cuts the connection where the end of a stream cannot be stored, and says what was lost", async () => {
      const { promise: started, resolve: begin } = Promise.withResolvers<void>();
      const lost: SessionEvents["lost-write"][] = [];
      manager.on("lost-write", (event) => lost.push(event));
      app.use(session(manager));
      await start({
        "/stream": (ctx) => {
          const { session } = ctx;
          ctx.body = Readable.from(
            (async function* () {
              yield "begun";
              await started;
              session.set("note", "never stored");
            })(),
          );
        },
      });
      await settle();
      const answer = await browser.send("/stream");
      store.fail("commit");
      begin();
      await expect(answer.text()).rejects.toThrow();
      expect(lost).toMatchObject([{ keys: ["note"], reason: "unavailable" }]);
      expect(await store.entry()).toMatchObject({ statusCode: 200, responseSize: 5 });
    });
  });

  describe("the timeline", () => {
    const answers: Record<string, Handler> = {
      "/text": (ctx) => {
        ctx.body = "plain";
      },
      "/wide": (ctx) => {
        ctx.body = "äöü€";
      },
      "/json": (ctx) => {
        ctx.status = 201;
        ctx.body = { views: 1 };
      },
      "/bytes": (ctx) => {
        ctx.body = Buffer.from([1, 2, 3, 4]);
      },
      "/none": (ctx) => {
        ctx.status = 204;
      },
      "/unchanged": (ctx) => {
        ctx.body = "not sent";
        ctx.status = 304;
      },
      "/stream": (ctx) => {
        ctx.body = Readable.from(["one", "two"]);
      },
      "/raw": (ctx) => {
        ctx.respond = false;
        ctx.res.writeHead(202, { "Content-Type": "text/plain" });
        ctx.res.write("early ");
        ctx.res.end("and raw");
      },
      "/broken": () => {
        throw new Error("broken");
      },
    };

    it.each([
      { method: "GET", path: "/text", status: 200, size: 5 },
      { method: "GET", path: "/wide", status: 200, size: 9 },
      { method: "GET", path: "/json", status: 201, size: 11 },
      { method: "GET", path: "/bytes", status: 200, size: 4 },
      { method: "HEAD", path: "/text", status: 200, size: 0 },
      { method: "GET", path: "/none", status: 204, size: 0 },
      { method: "GET", path: "/unchanged", status: 304, size: 0 },
      { method: "GET", path: "/missing?secret=1", status: 404, size: 9 },
      { method: "GET", path: "/stream", status: 200, size: 6 },
      { method: "HEAD", path: "/stream", status: 200, size: 0 },
      { method: "GET", path: "/raw", status: 202, size: 13 },
      { method: "GET", path: "/broken", status: 500, size: 21 },
    ])("has $method $path with $status and $size bytes", async ({ path, method, status, size }) => {
      app.use(session(manager));
      await start(answers);
      const answer = await browser.send(path, { method });
      expect(answer.status).toBe(status);
      expect(answer.headers.getSetCookie()).toHaveLength(1);
      await answer.text();
      const entry = await store.entry();
      expect(entry).toMatchObject({
        method,
        endpoint: path.replace(/\?.*/, ""),
        statusCode: status,
        responseSize: size,
      });
      const { items } = await manager.list();
      expect((await manager.activity(items[0]?.id ?? "")).items).toMatchObject([entry]);
    });

    // Koa 2 takes none.
    if (version === "3")
      it("has the bodies of the Web that Koa 3 takes", async () => {
        app.use(session(manager));
        await start({
          "/web": (ctx) => {
            ctx.body = new Blob(["from ", "the web"]).stream();
          },
        });
        expect(await browser.text("/web")).toBe("from the web");
        expect(await store.entry()).toMatchObject({ statusCode: 200, responseSize: 12 });
      });

    it("has server-sent events with the time and size of all that was sent when the client left", async () => {
      app.use(session(manager));
      let out: ServerResponse | undefined;
      await start({
        "/events": (ctx) => {
          ctx.respond = false;
          out = ctx.res;
          ctx.res.writeHead(200, { "Content-Type": "text/event-stream" });
          ctx.res.write("data: 1\n\n");
        },
      });
      const answer = await browser.send("/events");
      const reader = answer.body?.getReader();
      await reader?.read();
      clock.advance(1500);
      out?.write("data: 2\n\n");
      await reader?.read();
      await reader?.cancel();
      expect(await store.entry()).toMatchObject({
        statusCode: 200,
        responseSize: 18,
        duration: 1500,
      });
    });

    it("has 499 where the client left before the headers did, and its changes are stored (F-30)", async () => {
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
      app.use(session(manager));
      await start({
        "/slow": async (ctx) => {
          ctx.session.set("note", "before the client left");
          arrive();
          await new Promise((resolve) => ctx.res.on("close", resolve));
          ctx.body = "for nobody";
        },
      });
      await settle();
      const abort = new AbortController();
      const answer = browser.send("/slow", { signal: abort.signal });
      await arrived;
      clock.advance(250);
      abort.abort();
      await expect(answer).rejects.toThrow();
      expect(await store.entry()).toMatchObject({
        statusCode: 499,
        responseSize: 0,
        duration: 250,
      });
      expect(await browser.text("/note")).toBe("before the client left");
    });

    it("has no handler that ran for a client that left while the store was asked", async () => {
      let runs = 0;
      const { promise: left, resolve: leave } = Promise.withResolvers<void>();
      app.use(async (ctx, next) => {
        if (ctx.path === "/count") ctx.res.on("close", leave);
        await next();
      });
      app.use(session(manager));
      await start({
        "/count": (ctx) => {
          ctx.body = `${++runs}`;
        },
      });
      await settle();
      const find = store.hold("find");
      const abort = new AbortController();
      const answer = browser.send("/count", { signal: abort.signal });
      await find.arrived;
      abort.abort();
      await expect(answer).rejects.toThrow();
      await left;
      find.release();
      expect(await store.entry()).toMatchObject({ endpoint: "/count", statusCode: 499 });
      expect(runs).toBe(0);
    });
  });

  it("says HEADERS_SENT where the cookie changes after the headers, and stores the rest (F-31)", async () => {
    let code: unknown;
    app.use(session(manager));
    await start({
      "/early": async (ctx) => {
        ctx.respond = false;
        ctx.res.flushHeaders();
        code = await ctx.session.signIn("user-1").catch((error: { code: string }) => error.code);
        ctx.session.set("note", "stored all the same");
        ctx.res.end("done");
      },
    });
    const answer = await browser.send("/early");
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    expect(await answer.text()).toBe("done");
    expect(code).toBe("HEADERS_SENT");
    expect(await browser.text("/note")).toBe("stored all the same");
  });
});
