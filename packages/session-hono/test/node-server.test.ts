import type { IncomingMessage, ServerResponse } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Session, type SessionEvents, SessionManager } from "@kyb/session-core";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SessionEnv, session } from "../src/session.ts";
import { Browser, type Data, type Host, ManualClock, onNode, TestStore } from "./support.ts";

type Env = SessionEnv<Data> & { Bindings: HttpBindings };

describe("session() on Hono's Node server", () => {
  let clock: ManualClock;
  let store: TestStore;
  let manager: SessionManager<Data>;
  let app: Hono<Env>;
  let host: Host;
  let browser: Browser;

  beforeEach(async () => {
    clock = new ManualClock();
    store = new TestStore();
    manager = new SessionManager<Data>({ store: store.store, clock });
    app = new Hono<Env>();
    host = await onNode(app);
    browser = new Browser(host);
  });

  afterEach(async () => {
    await host.close();
    await manager.close();
  });

  /** A browser whose session is known, so that a commit is the only call that a change makes. */
  async function settle(): Promise<void> {
    app.get("/note", (c) => c.text(c.var.session.get("note") ?? "none"));
    await browser.text("/note");
    await store.entry();
  }

  it("finds the address of the peer, and believes no header", async () => {
    app.use(session(manager));
    app.get("/", (c) => c.text(c.var.session.ipAddress));
    const headers = { "X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.2" };
    expect(await browser.text("/", { headers })).toBe("127.0.0.1");
  });

  it("believes the application's `connection`, and fills in what that leaves out", async () => {
    app.use(session(manager, { connection: () => ({ encrypted: true }) }));
    app.get("/", (c) => c.text(c.var.session.ipAddress));
    const answer = await browser.send("/");
    expect(await answer.text()).toBe("127.0.0.1");
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-kyb_session_id=.*; Secure/);
  });

  it("knows a TLS socket from a plain one (R-13)", async () => {
    app.use(session(manager));
    app.get("/", (c) => c.text(c.var.session.ipAddress));
    // As the server calls the application for a WebSocket: with a request and no response.
    const socket = { remoteAddress: "::ffff:192.0.2.7", encrypted: true };
    const env = { incoming: { socket } as unknown as IncomingMessage, outgoing: undefined };
    const answer = await app.fetch(new Request("http://localhost/"), env);
    expect(await answer.text()).toBe("192.0.2.7");
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-kyb_session_id=.*; Secure/);
  });

  it("leaves answers of text to the server's fast path, with their length", async () => {
    app.use(session(manager));
    app.get("/", (c) => c.json({ note: c.var.session.get("note") ?? "none" }));
    const answer = await browser.send("/");
    expect(answer.headers.get("Content-Length")).toBe("15");
    expect(answer.headers.get("Transfer-Encoding")).toBe(null);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
  });

  it("puts no function of its own on a response, which would burden the collector", async () => {
    const methods = new Set<unknown>();
    app.use(session(manager));
    app.get("/", (c) => {
      for (const value of Object.values(c.env.outgoing)) {
        if (typeof value === "function") methods.add(value);
      }
      return c.text(c.var.session.id);
    });
    await browser.text("/");
    const afterOne = methods.size;
    await browser.text("/");
    expect(afterOne).toBeGreaterThanOrEqual(3);
    // Node itself puts one on it that belongs to the connection.
    expect(methods.size - afterOne).toBeLessThanOrEqual(1);
  });

  it("keeps two managers apart on one request", async () => {
    const admins = new SessionManager<Data>({ cookie: { name: "admin_session" } });
    let atUsers: Session<Data> | undefined;
    app.use(session(manager));
    app.use(async (c, next) => {
      atUsers = c.var.session;
      await next();
    });
    app.use(session(admins));
    app.get("/", (c) => {
      atUsers?.set("note", "of a user");
      c.var.session.set("note", "of an admin");
      return c.text("both");
    });
    const answer = await browser.send("/");
    const names = answer.headers.getSetCookie().map((cookie) => cookie.split("=", 1)[0]);
    expect(names.toSorted()).toEqual(["admin_session", "kyb_session_id"]);
    expect(await answer.text()).toBe("both");
    expect(await store.entry()).toMatchObject({ statusCode: 200, responseSize: 4 });
    expect((await manager.list()).items).toMatchObject([{ metadata: { note: "of a user" } }]);
    const [admin] = (await admins.list()).items;
    expect(admin).toMatchObject({ metadata: { note: "of an admin" } });
    expect((await admins.activity(admin?.id ?? "")).items).toMatchObject([
      { statusCode: 200, responseSize: 4 },
    ]);
    await admins.close();
  });

  it("leaves headers that answers share as they are", async () => {
    const headers = { "Content-Type": "text/html" };
    app.use(session(manager));
    app.get("/", (c) => new Response(c.var.session.id, { headers }));
    const answer = await browser.send("/");
    expect(answer.headers.get("Vary")).toBe("Cookie");
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    expect(headers).toEqual({ "Content-Type": "text/html" });
  });

  it("stores what middleware further out changes after the handler", async () => {
    app.use(async (c, next) => {
      await next();
      c.var.session.set("note", "from further out");
    });
    app.use(session(manager));
    await settle();
    expect(await browser.text("/note")).toBe("from further out");
  });

  it("gives its cookie to the answer of an error that nobody handled", async () => {
    app.use(session(manager));
    app.get("/", () => {
      throw "no error";
    });
    const answer = await browser.send("/");
    expect(answer.status).toBe(500);
    expect(answer.headers.getSetCookie()).toHaveLength(1);
    expect(await store.entry()).toMatchObject({ statusCode: 500 });
  });

  it.each<{ form: string; write: (outgoing: ServerResponse) => void }>([
    {
      form: "an object",
      write: (out) => out.writeHead(201, { "set-cookie": "a=1", vary: "Accept" }).end("four"),
    },
    {
      form: "a list",
      write: (out) =>
        out.writeHead(201, "Made", ["Set-Cookie", "a=1", "Vary", "Accept"]).end("four"),
    },
    {
      form: "set one by one",
      write: (out) => {
        out.statusCode = 201;
        out.setHeader("Set-Cookie", "a=1");
        out.setHeader("Vary", "Accept");
        out.write("fo");
        out.end("ur");
      },
    },
  ])(
    "follows an answer that is written past Hono, with headers as $form (F-31)",
    async ({ write }) => {
      app.use(session(manager));
      app.get("/", (c) => {
        c.var.session.get("note");
        write(c.env.outgoing as ServerResponse);
        return RESPONSE_ALREADY_SENT;
      });
      const answer = await browser.send("/");
      expect(answer.status).toBe(201);
      expect(await answer.text()).toBe("four");
      expect(answer.headers.get("Vary")).toBe("Accept, Cookie");
      const cookies = answer.headers.getSetCookie();
      expect(cookies[0]).toBe("a=1");
      expect(cookies).toHaveLength(2);
      expect(await store.entry()).toMatchObject({ statusCode: 201, responseSize: 4 });
    },
  );

  it("counts no body where Node sends none", async () => {
    app.use(session(manager));
    app.get("/", (c) => {
      (c.env.outgoing as ServerResponse).writeHead(204).end("four");
      return RESPONSE_ALREADY_SENT;
    });
    await browser.send("/");
    expect(await store.entry()).toMatchObject({ statusCode: 204, responseSize: 0 });
  });

  it("cuts the connection where the end of a stream cannot be stored, and says what was lost", async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    app.use(session(manager));
    app.get("/stream", (c) => {
      const { session } = c.var;
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode("begun"));
          await started;
          session.set("note", "never stored");
          controller.close();
        },
      });
      return c.body(body);
    });
    const lost: SessionEvents["lost-write"][] = [];
    manager.on("lost-write", (event) => lost.push(event));
    await settle();
    const answer = await browser.send("/stream");
    store.fail("commit");
    start();
    await expect(answer.text()).rejects.toThrow();
    expect(lost).toMatchObject([{ keys: ["note"], reason: "unavailable" }]);
    expect(await store.entry()).toMatchObject({ statusCode: 200, responseSize: 5 });
  });

  it("ends a visit with 499 when the client leaves before the headers do (F-30)", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    app.use(session(manager));
    app.get("/slow", async (c) => {
      c.var.session.set("note", "before the client left");
      c.env.outgoing.on("close", leave);
      arrive();
      await left;
      return c.text("for nobody");
    });
    await settle();
    const abort = new AbortController();
    const answer = browser.send("/slow", { signal: abort.signal });
    await arrived;
    clock.advance(250);
    abort.abort();
    await expect(answer).rejects.toThrow();
    expect(await store.entry()).toMatchObject({ statusCode: 499, responseSize: 0, duration: 250 });
    expect(await browser.text("/note")).toBe("before the client left");
  });

  it("does not run the handler of a client that left while the store was asked", async () => {
    let runs = 0;
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    app.use("/count", async (c, next) => {
      c.env.outgoing.on("close", leave);
      await next();
    });
    app.use(session(manager));
    app.get("/count", (c) => c.text(`${++runs}`));
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

  it("follows HTTP/2 as well", async () => {
    app.use(session(manager));
    app.get("/", (c) => {
      c.var.session.set("note", "stored");
      return c.text("http2");
    });
    const server = createAdaptorServer({ fetch: app.fetch, createServer: http2.createServer });
    const { promise: listening, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await listening;
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const request = client.request({ ":path": "/" });
    const { promise: headers, resolve: answered } =
      Promise.withResolvers<http2.IncomingHttpHeaders>();
    request.on("response", answered);
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    expect(text).toBe("http2");
    expect((await headers)["set-cookie"]).toHaveLength(1);
    expect(await store.entry()).toMatchObject({ statusCode: 200, responseSize: 5 });
    client.close();
    server.close();
  });
});
