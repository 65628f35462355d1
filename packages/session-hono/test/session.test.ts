import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isSessionError, SessionManager } from "@kyb/session-core";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SessionEnv, session } from "../src/session.ts";
import {
  Browser,
  type Data,
  type Host,
  inProcess,
  ManualClock,
  onNode,
  TestStore,
} from "./support.ts";

const CACHED = { "Cache-Control": "public, max-age=3600", ETag: '"1"', "X-Policy": "kept" };

it("session() leaves the response of an upgrade to the host, as it is", async () => {
  const manager = new SessionManager<Data>();
  // As Deno makes it: with headers that cannot be changed, and a status that no copy could have.
  const upgrade = Response.redirect("http://localhost/");
  Object.defineProperty(upgrade, "status", { value: 101 });
  const app = new Hono().use(session(manager)).get("/socket", () => upgrade);
  expect(await app.fetch(new Request("http://localhost/socket"))).toBe(upgrade);
  await manager.close();
});

// In process first, as the test above: the Node server replaces the global Request and Response with its own.
describe.each([
  { name: "in process", start: inProcess },
  { name: "on Hono's Node server", start: onNode },
])("session() $name", ({ start }) => {
  const opened: Host[] = [];
  let clock: ManualClock;
  let store: TestStore;
  let manager: SessionManager<Data>;

  beforeEach(() => {
    clock = new ManualClock();
    store = new TestStore();
    manager = new SessionManager<Data>({ store: store.store, clock });
  });

  afterEach(async () => {
    for (const host of opened.splice(0)) await host.close();
    await manager.close();
  });

  function application(): Hono<SessionEnv<Data>> {
    const app = new Hono<SessionEnv<Data>>();
    app.use(session(manager));
    app.get("/note", (c) => c.text(c.var.session.get("note") ?? "none"));
    return app;
  }

  async function visit(app: Hono<SessionEnv<Data>>): Promise<Browser> {
    const host = await start(app);
    opened.push(host);
    return new Browser(host);
  }

  describe("state", () => {
    it("is stored before the redirect that leads to its reader (R-79)", async () => {
      const app = application();
      app.post("/note", async (c) => {
        c.var.session.set("note", await c.req.text());
        return c.redirect("/note", 303);
      });
      const browser = await visit(app);
      for (const note of ["one", "two", "three"]) {
        const answer = await browser.send("/note", { method: "POST", body: note });
        expect(answer.status).toBe(303);
        expect(await browser.text(answer.headers.get("Location") ?? "")).toBe(note);
      }
    });

    it("is awaited: the answer leaves when the store has it, not before", async () => {
      const app = application();
      app.get("/set", (c) => {
        c.var.session.set("note", "stored");
        return c.text("done");
      });
      const browser = await visit(app);
      await browser.text("/note");
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

    it("changed before a throw is stored, and the application's error handling answers", async () => {
      const app = application();
      app.get("/fail", (c) => {
        c.var.session.set("note", "before the throw");
        throw new Error("the handler's own");
      });
      app.onError((error, c) => c.text(`caught: ${error.message}`, 418));
      const browser = await visit(app);
      const answer = await browser.send("/fail");
      expect(answer.status).toBe(418);
      expect(await answer.text()).toBe("caught: the handler's own");
      expect(await browser.text("/note")).toBe("before the throw");
    });

    it("changed before something else than an Error is thrown is stored as well", async () => {
      const app = application();
      app.get("/fail", (c) => {
        c.var.session.set("note", "before the throw");
        throw "no error";
      });
      const browser = await visit(app);
      await browser.text("/note");
      // Hono lets such a value through to its host.
      const outcome = await browser.send("/fail").then(
        ({ status }) => status,
        (thrown: unknown) => thrown,
      );
      expect(outcome).toBe(start === onNode ? 500 : "no error");
      expect(await browser.text("/note")).toBe("before the throw");
    });

    it("changed while a body streams is stored before the end of it", async () => {
      const app = application();
      const { promise: read, resolve: goOn } = Promise.withResolvers<void>();
      app.get("/stream", (c) => {
        const encoder = new TextEncoder();
        const { session } = c.var;
        const parts = ["first", "last"];
        const body = new ReadableStream<Uint8Array>({
          async pull(controller) {
            const part = parts.shift();
            if (part === undefined) {
              session.set("note", "changed at the end");
              controller.close();
              return;
            }
            if (part === "last") await read;
            controller.enqueue(encoder.encode(part));
          },
        });
        return c.body(body);
      });
      const browser = await visit(app);
      await browser.text("/note");
      const commit = store.hold("commit");
      const answer = await browser.send("/stream");
      let isComplete = false;
      const complete = answer.text().then((text) => {
        isComplete = true;
        return text;
      });
      goOn();
      await commit.arrived;
      expect(isComplete).toBe(false);
      commit.release();
      expect(await complete).toBe("firstlast");
      expect(await browser.text("/note")).toBe("changed at the end");
    });

    it("is that of one visit, where the middleware stands twice in the way", async () => {
      const app = application();
      app.use("/twice", session(manager));
      app.get("/twice", (c) => c.text(c.var.session.id));
      const browser = await visit(app);
      const answer = await browser.send("/twice");
      expect(answer.headers.getSetCookie()).toHaveLength(1);
      const id = await answer.text();
      expect((await manager.get(id))?.requestCount).toBe(1);
      expect((await manager.metrics()).totalSessions).toBe(1);
    });

    it("is kept apart from another manager's", async () => {
      const other = new SessionManager<Data>({ cookie: { name: "other" } });
      const app = new Hono();
      app.use("/ours/*", session(manager)).use("/theirs/*", session(other));
      const read = new Hono<SessionEnv<Data>>().get("/", (c) => c.text(c.var.session.id));
      app.route("/ours", read).route("/theirs", read);
      const host = await start(app);
      opened.push(host);
      const browser = new Browser(host);
      const ours = await browser.text("/ours");
      const theirs = await browser.text("/theirs");
      expect(await manager.get(theirs)).toBeUndefined();
      expect((await manager.get(ours))?.id).toBe(ours);
      expect((await other.get(theirs))?.id).toBe(theirs);
      await other.close();
    });
  });

  describe("headers", () => {
    it("keep the application's cookies in order, and carry one session cookie (R-15)", async () => {
      const app = application();
      app.get("/cookies", async (c) => {
        c.header("Set-Cookie", "a=1", { append: true });
        c.header("Set-Cookie", "b=2", { append: true });
        await c.var.session.signIn("user-1");
        await c.var.session.regenerate();
        return c.text("cookies", 200, { "Set-Cookie": ["c=3", "d=4"] });
      });
      const browser = await visit(app);
      const cookies = (await browser.send("/cookies")).headers.getSetCookie();
      expect(cookies.slice(0, 2)).toEqual(["c=3", "d=4"]);
      expect(cookies).toHaveLength(3);
      expect(cookies[2]).toContain("kyb_session_id=");
    });

    it("that cannot be changed, as those of a ready-made redirect, get the cookie too", async () => {
      const app = application();
      app.get("/away", () => Response.redirect("http://localhost/elsewhere", 307));
      const browser = await visit(app);
      const answer = await browser.send("/away");
      expect(answer.status).toBe(307);
      expect(answer.headers.get("Location")).toBe("http://localhost/elsewhere");
      expect(answer.headers.getSetCookie()).toHaveLength(1);
    });

    it("of an answer from elsewhere, which cannot be changed either, keep its cookies", async () => {
      const elsewhere = createServer((_request, response) => {
        response.setHeader("Set-Cookie", ["a=1", "b=2"]).end("proxied");
      });
      const { promise: listening, resolve } = Promise.withResolvers<void>();
      elsewhere.listen(0, "127.0.0.1", resolve);
      await listening;
      const { port } = elsewhere.address() as AddressInfo;
      const app = application();
      app.get("/proxied", () => fetch(`http://127.0.0.1:${port}`));
      const answer = await (await visit(app)).send("/proxied");
      const names = answer.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
      expect(names).toEqual(["a", "b", "kyb_session_id"]);
      expect(await answer.text()).toBe("proxied");
      elsewhere.close();
    });

    it("say that the answer depends on the cookie, where it does (R-82)", async () => {
      const app = application();
      app.get("/public", (c) => c.text("the same for all"));
      app.get("/both", (c) =>
        c.text(`${c.var.session.get("views")}`, 200, { vary: "Accept-Encoding" }),
      );
      const browser = await visit(app);
      const first = await browser.send("/public");
      expect(first.headers.get("Cache-Control")).toBe("no-store");
      const known = await browser.send("/public");
      expect(known.headers.get("Cache-Control")).toBe(null);
      expect(known.headers.get("Vary")).toBe(null);
      expect((await browser.send("/note")).headers.get("Vary")).toBe("Cookie");
      expect((await browser.send("/both")).headers.get("Vary")).toBe("Accept-Encoding, Cookie");
    });
  });

  it("lets Hono complain of a handler that returns nothing", async () => {
    const app = application();
    app.get("/nothing", (c) => {
      c.var.session.set("note", "stored all the same");
      return undefined as unknown as Response;
    });
    app.onError((error, c) => c.text(error.message, 500));
    const browser = await visit(app);
    await browser.text("/note");
    await store.entry();
    const answer = await browser.send("/nothing");
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain("Context is not finalized");
    expect(await store.entry()).toMatchObject({ statusCode: 500 });
    expect(await browser.text("/note")).toBe("stored all the same");
  });

  describe("while the store is down", () => {
    it("answers 503 before the handler runs, and clears no cookie (R-77)", async () => {
      let runs = 0;
      const app = application();
      app.get("/count", (c) => {
        runs += 1;
        return c.text("ran");
      });
      const browser = await visit(app);
      await browser.text("/count");
      store.fail("find");
      const answer = await browser.send("/count");
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toBe("1");
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(runs).toBe(1);
      store.recover();
      expect(await browser.text("/count")).toBe("ran");
    });

    it("withdraws an answer whose state could not be stored (R-79)", async () => {
      const app = application();
      app.use(async (c, next) => {
        c.header("X-Policy", "kept");
        await next();
      });
      app.post("/buy", (c) => {
        c.var.session.set("note", "bought");
        c.header("Content-Length", "4");
        return c.redirect("/thanks", 303);
      });
      app.get("/cached", (c) => {
        c.var.session.set("note", "cached");
        return c.json({ ok: true }, 200, CACHED);
      });
      const browser = await visit(app);
      await browser.text("/note");
      store.fail("commit");
      for (const [path, method] of [
        ["/buy", "POST"],
        ["/cached", "GET"],
      ] as const) {
        const answer = await browser.send(path, { method });
        expect(answer.status).toBe(503);
        expect(answer.headers.get("Retry-After")).toBe("1");
        expect(answer.headers.get("X-Policy")).toBe("kept");
        expect(answer.headers.get("Location")).toBe(null);
        expect(answer.headers.get("ETag")).toBe(null);
        expect(answer.headers.get("Cache-Control")).toBe("no-store");
        expect(await answer.json()).toEqual({
          success: false,
          error: "The session could not be used.",
          code: "STORE_UNAVAILABLE",
        });
      }
      store.recover();
      expect(await browser.text("/note")).toBe("none");
    });

    it("closes the body that it withdraws", async () => {
      const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
      const app = application();
      app.get("/stream", (c) => {
        c.var.session.set("note", "lost");
        return c.body(new ReadableStream({ cancel: resolve }));
      });
      const browser = await visit(app);
      await browser.text("/note");
      store.fail("commit");
      expect((await browser.send("/stream")).status).toBe(503);
      expect(await cancelled).toBe(undefined);
    });

    it("tells the application's own error handler", async () => {
      const app = application();
      app.get("/set", (c) => {
        c.var.session.set("note", "lost");
        return c.text("done");
      });
      app.onError((error, c) => c.text(isSessionError(error) ? error.code : "unknown", 500));
      const browser = await visit(app);
      await browser.text("/note");
      store.fail("commit");
      const answer = await browser.send("/set");
      expect(answer.status).toBe(500);
      expect(await answer.text()).toBe("STORE_UNAVAILABLE");
    });

    it("stands in the timeline with the status that it answered", async () => {
      const app = application();
      app.get("/set", (c) => {
        c.var.session.set("note", "lost");
        return c.text("done");
      });
      const browser = await visit(app);
      await browser.text("/note");
      await store.entry();
      store.fail("commit");
      await browser.text("/set");
      expect((await store.entry()).statusCode).toBe(503);
    });
  });

  describe("the timeline", () => {
    it.each([
      { method: "GET", path: "/text", status: 200, size: 5 },
      { method: "GET", path: "/wide", status: 200, size: 9 },
      { method: "GET", path: "/json", status: 201, size: 11 },
      { method: "GET", path: "/bytes", status: 200, size: 4 },
      { method: "HEAD", path: "/text", status: 200, size: 0 },
      { method: "GET", path: "/none", status: 204, size: 0 },
      { method: "GET", path: "/unchanged", status: 304, size: 0 },
      { method: "GET", path: "/moved", status: 302, size: 0 },
      { method: "GET", path: "/missing?secret=1", status: 404, size: 13 },
      { method: "GET", path: "/stream", status: 200, size: 6 },
      { method: "HEAD", path: "/stream", status: 200, size: 0 },
      { method: "GET", path: "/broken", status: 500, size: 21 },
    ])("has $method $path with $status and $size bytes", async ({ path, method, status, size }) => {
      const app = application();
      app.get("/text", (c) => c.text("plain"));
      app.get("/wide", (c) => c.text("äöü€"));
      app.get("/json", (c) => c.json({ views: 1 }, 201));
      app.get("/bytes", (c) => c.body(new Uint8Array([1, 2, 3, 4])));
      app.get("/none", (c) => c.body(null, 204));
      app.get("/unchanged", (c) => c.body(null, 304));
      app.get("/moved", (c) => c.redirect("/text"));
      app.get("/stream", (c) => c.body(streamOf("one", "two")));
      app.get("/broken", () => {
        throw new Error("broken");
      });
      app.onError((_error, c) => c.text("Internal Server Error", 500));
      const browser = await visit(app);
      const answer = await browser.send(path, { method });
      expect(answer.status).toBe(status);
      await answer.text();
      expect(await store.entry()).toMatchObject({
        method,
        endpoint: path.replace(/\?.*/, ""),
        statusCode: status,
        responseSize: size,
      });
    });

    it("has a streamed answer with the time and size of the whole", async () => {
      const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
      const app = application();
      app.get("/events", (c) => {
        const body = streamOf("data: 1\n\n", resumed, "data: 2\n\n");
        return c.body(body, 200, { "Content-Type": "text/event-stream" });
      });
      const browser = await visit(app);
      const answer = await browser.send("/events");
      const reader = answer.body?.getReader();
      await reader?.read();
      clock.advance(1500);
      resume();
      while ((await reader?.read())?.done === false);
      expect(await store.entry()).toMatchObject({
        statusCode: 200,
        responseSize: 18,
        duration: 1500,
      });
    });

    it("has what a client read of a stream that it left", async () => {
      const app = application();
      const { promise: cancelled, resolve } = Promise.withResolvers<void>();
      app.get("/events", (c) => {
        const endless = new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
          cancel: () => resolve(),
        });
        return c.body(endless, 200, { "Content-Type": "text/event-stream" });
      });
      const browser = await visit(app);
      const answer = await browser.send("/events");
      const reader = answer.body?.getReader();
      await reader?.read();
      clock.advance(700);
      await reader?.cancel();
      expect(await store.entry()).toMatchObject({
        statusCode: 200,
        responseSize: 9,
        duration: 700,
      });
      await cancelled;
    });

    it("is what the manager shows", async () => {
      const app = application();
      const browser = await visit(app);
      await browser.text("/note");
      await store.entry();
      const { items } = await manager.list();
      const { items: entries } = await manager.activity(items[0]?.id ?? "");
      expect(entries).toMatchObject([{ endpoint: "/note", statusCode: 200, responseSize: 4 }]);
    });
  });
});

/** A body in parts; a promise among them is waited for. */
function streamOf(...parts: (string | Promise<void>)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      let part = parts.shift();
      if (part instanceof Promise) {
        await part;
        part = parts.shift();
      }
      if (typeof part === "string") controller.enqueue(encoder.encode(part));
      else controller.close();
    },
  });
}
