import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { type Middleware, type SessionManager, session, sessionApi } from "../src/index.ts";
import { ask, cookieOf } from "./support/client.ts";
import { listen, newManager, timeline } from "./support/host.ts";
import { RemoteStore } from "./support/remote-store.ts";

/** A host with these middlewares in a row, and its own answer behind them. */
async function row(...middlewares: Middleware[]): Promise<string> {
  const { origin } = await listen((req, res) => {
    const pass = (at: number): void => {
      const middleware = middlewares[at];
      if (middleware === undefined) res.end("host");
      else {
        middleware(req, res, (error) => {
          if (error === undefined) pass(at + 1);
          else res.writeHead(500).end(String(error));
        });
      }
    };
    pass(0);
  });
  return origin;
}

/** What body parsers do. */
const parser: Middleware = (req, _res, next) => {
  let text = "";
  req.on("data", (chunk) => {
    text += String(chunk);
  });
  req.on("end", () => {
    Object.assign(req, { body: text === "" ? undefined : JSON.parse(text) });
    next();
  });
};

const api = (manager: SessionManager, basePath?: string): Middleware =>
  sessionApi(manager, { authorize: () => true, ...(basePath === undefined ? {} : { basePath }) });

const json = { "Content-Type": "application/json" };

describe("sessionApi()", () => {
  it("answers its paths and passes everything else on", async () => {
    const manager = newManager();
    const origin = await row(api(manager));
    const reply = await ask(`${origin}/v1/sessions/status`);
    expect(JSON.parse(reply.body)).toMatchObject({ success: true, status: "operational" });
    expect(reply.headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    expect(await ask(`${origin}/v1/sess%69ons/status`)).toMatchObject({ status: 200 });
    for (const path of [
      "/",
      "/v1/sessionsx",
      "/v1",
      "/v2/sessions",
      "/100%25",
      "/x/../v1/sessions/status",
    ]) {
      expect(await ask(origin + path)).toMatchObject({ body: "host" });
    }
    expect(await ask(`${origin}/v1/sessions/unknown`)).toMatchObject({ status: 404 });
    expect(api(manager).name).toBe("sessionApi");
  });

  it("builds no Request for other paths", async () => {
    const original = Request;
    const origin = await row((_req, _res, next) => {
      globalThis.Request = class {
        constructor() {
          throw new Error("A Request was built.");
        }
      } as never;
      next();
    }, api(newManager()));
    try {
      expect(await ask(`${origin}/other`)).toMatchObject({ body: "host" });
    } finally {
      globalThis.Request = original;
    }
  });

  it.each([
    ["alone", (manager: SessionManager) => [api(manager)]],
    ["behind session()", (manager: SessionManager) => [session(manager), api(manager)]],
    ["behind a parser", (manager: SessionManager) => [parser, api(manager)]],
    [
      "behind session() and a parser",
      (manager: SessionManager) => [session(manager), parser, api(manager)],
    ],
    [
      "behind a parser and session()",
      (manager: SessionManager) => [parser, session(manager), api(manager)],
    ],
  ])("makes the caller's session and stores its data, %s", async (_place, middlewares) => {
    const manager = newManager();
    const origin = await row(...middlewares(manager));
    const body = JSON.stringify({ metadata: { role: "beta_tester" } });
    const made = await ask(`${origin}/v1/sessions`, { method: "POST", headers: json, body });
    expect(JSON.parse(made.body)).toMatchObject({ success: true });
    expect(made).toMatchObject({ status: 201, isComplete: true });
    expect(made.cookies).toHaveLength(1);
    const current = await ask(`${origin}/v1/sessions/current`, { headers: cookieOf(made) });
    expect(JSON.parse(current.body)).toMatchObject({
      session: { metadata: { role: "beta_tester" } },
    });
    expect(await timeline(manager)).toEqual([]);
  });

  it("refuses a body that is too large, read or unread (R-56)", async () => {
    const manager = newManager();
    for (const middlewares of [[api(manager)], [parser, api(manager)]]) {
      const origin = await row(...middlewares);
      const body = JSON.stringify({ metadata: { text: "x".repeat(70_000) } });
      const reply = await ask(`${origin}/v1/sessions`, { method: "POST", headers: json, body });
      expect(reply).toMatchObject({ status: 413, isComplete: true });
    }
  });

  it("asks the store once where session() has asked already", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const origin = await row(session(manager), api(manager));
    const headers = cookieOf(await ask(`${origin}/`));
    const before = store.count("find");
    expect(await ask(`${origin}/v1/sessions/current`, { headers })).toMatchObject({ status: 200 });
    expect(store.count("find") - before).toBe(1);
  });

  it("is 503 where what it changed could not be stored, and not 201", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const origin = await row(session(manager), api(manager));
    const headers = { ...json, ...cookieOf(await ask(`${origin}/`)) };
    store.break("commit");
    const body = JSON.stringify({ metadata: { role: "beta_tester" } });
    const reply = await ask(`${origin}/v1/sessions`, { method: "POST", headers, body });
    expect(reply.status).toBeGreaterThanOrEqual(500);
    expect(reply.isComplete).toBe(true);
  });

  it.each([
    ["the path after the prefix", "/admin", "/admin/v1/sessions/status", "/v1/sessions"],
    ["the prefix itself", "/v1/sessions", "/v1/sessions/status", "/v1/sessions"],
    ["a prefix with the base path at its end", "/x/y", "/x/y/status", "/y"],
  ])("answers behind a router: %s", async (_kind, prefix, url, basePath) => {
    const manager = newManager();
    const middleware = api(manager, basePath);
    const { origin } = await listen((req: IncomingMessage & { originalUrl?: string }, res) => {
      req.originalUrl = req.url ?? "";
      req.url = req.originalUrl.slice(prefix.length);
      middleware(req, res, () => res.end("host"));
    });
    expect(JSON.parse((await ask(origin + url)).body)).toMatchObject({ status: "operational" });
  });

  it("is not made without an authorizer (R-51)", () => {
    expect(() => sessionApi(newManager(), {} as never)).toThrow("authorize");
  });
});
