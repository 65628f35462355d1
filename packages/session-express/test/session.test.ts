import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { NextFunction, Request, Response } from "express";
import { describe, expect, it } from "vitest";
import { ask, cookieOf, isWaiting, send } from "../../session-node/test/support/client.ts";
import { RemoteStore } from "../../session-node/test/support/remote-store.ts";
import { session, sessionOf } from "../src/index.ts";
import { newManager, start, timeline, versions } from "./host.ts";

describe.each(versions)("session() in %s", (name, { express }) => {
  it("gives every request its session", async () => {
    const manager = newManager();
    const app = express();
    app.use(session(manager));
    app.get("/count", (req, res) => {
      req.session.increment("count");
      expect(sessionOf(manager, req)).toBe(req.session);
      res.json({ count: req.session.get("count") });
    });
    const origin = await start(app);
    const headers = cookieOf(await ask(`${origin}/count`));
    expect(await ask(`${origin}/count`, { headers })).toMatchObject({ body: '{"count":2}' });
  });

  it("shows the new value after a redirect, also on a slow store", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const app = express();
    app.use(session(manager));
    app.get("/", (_req, res) => void res.send("home"));
    app.post("/theme", (req, res) => {
      req.session.set("theme", "dark");
      res.redirect("/theme");
    });
    app.get("/theme", (req, res) => void res.send(req.session.get("theme") ?? "none"));
    const origin = await start(app);
    const headers = cookieOf(await ask(`${origin}/`));
    const write = store.hold("commit");
    const { head, reply } = send(`${origin}/theme`, { method: "POST", headers });
    await write.arrived;
    expect(await isWaiting(head, () => ask(`${origin}/`, { headers }))).toBe(true);
    write.release();
    const redirect = await reply;
    expect(redirect).toMatchObject({ status: 302, isComplete: true });
    expect(await ask(origin + redirect.headers.location, { headers })).toMatchObject({
      body: "dark",
    });
  });

  it("keeps the application's cookies, in order, before its own (R-15)", async () => {
    const app = express();
    app.use((_req, res, next) => {
      res.cookie("first", "1");
      next();
    });
    app.use(session(newManager()));
    app.get("/", (req, res) => {
      req.session.set("a", 1);
      res.cookie("second", "2").json({});
    });
    const { cookies } = await ask(`${await start(app)}/`);
    expect(cookies.map((cookie) => cookie.split("=", 1)[0])).toEqual([
      "first",
      "second",
      "kyb_session_id",
    ]);
  });

  it("leaves a store that is down to the default error handling: 503 with Retry-After (R-77)", async () => {
    const store = new RemoteStore();
    const app = express();
    app.use(session(newManager({ store: store.store })));
    app.get("/", (_req, res) => void res.send("home"));
    const origin = await start(app);
    const headers = cookieOf(await ask(`${origin}/`));
    store.break("find");
    const reply = await ask(`${origin}/`, { headers });
    expect(reply).toMatchObject({ status: 503, cookies: [], isComplete: true });
    expect(reply.headers["retry-after"]).toBe("1");
    expect(reply.body).not.toContain("home");
  });

  const answers: [string, (req: Request, res: Response, next: NextFunction) => unknown][] = [
    ["json", (_req, res) => res.status(201).json({ stored: true })],
    ["send", (_req, res) => res.send("stored")],
    ["redirect", (_req, res) => res.redirect("/elsewhere")],
    ["sendStatus", (_req, res) => res.sendStatus(204)],
    ["sendFile", (_req, res) => res.sendFile(fileURLToPath(import.meta.url))],
    ["an error", (_req, _res, next) => next(new Error("of the handler"))],
  ];

  it.each(answers)(
    "answers 503 instead of %s where the state could not be stored (R-79)",
    async (kind, answer) => {
      const store = new RemoteStore();
      const manager = newManager({ store: store.store });
      const app = express();
      const router = express.Router();
      app.use(session(manager));
      router.get("/set", (req, res, next) => {
        req.session.set("a", 1);
        answer(req, res, next);
      });
      app.get("/", (_req, res) => void res.send("home"));
      app.use("/nested", router);
      const origin = await start(app);
      const headers = cookieOf(await ask(`${origin}/`));
      store.break("commit");
      // A file is streamed: what arrives before its end is honest as long as the end does not.
      const outcome = await ask(`${origin}/nested/set`, { headers }).catch(() => undefined);
      if (kind === "sendFile") expect(outcome?.isComplete ?? false).toBe(false);
      else {
        expect(outcome).toMatchObject({
          status: 503,
          message: "Service Unavailable",
          isComplete: true,
        });
        expect(outcome?.headers.location).toBeUndefined();
        expect(outcome?.headers["retry-after"]).toBe("1");
      }
      expect(store.count("commit")).toBe(1);
    },
  );

  it("hands the refusal to the application's own error handling, once", async () => {
    const store = new RemoteStore();
    const app = express();
    const errors: unknown[] = [];
    app.use(session(newManager({ store: store.store })));
    app.get("/", (_req, res) => void res.send("home"));
    app.get("/set", (req, res) => {
      req.session.set("a", 1);
      res.json({ stored: true });
    });
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      errors.push(error);
      res.status(599).json({ stored: false });
    });
    const origin = await start(app);
    const headers = cookieOf(await ask(`${origin}/`));
    store.break("commit");
    expect(await ask(`${origin}/set`, { headers })).toMatchObject({
      status: 599,
      body: '{"stored":false}',
    });
    expect(errors).toMatchObject([{ code: "STORE_UNAVAILABLE" }]);
  });

  it("keeps what a handler changed before it threw, and lets Express answer (F-30)", async () => {
    const manager = newManager();
    const app = express();
    app.use(session(manager));
    app.get("/throws", (req) => {
      req.session.set("throws", true);
      throw new Error("at once");
    });
    app.get("/rejects", async (req, _res, next) => {
      req.session.set("rejects", true);
      await Promise.resolve();
      const error = new Error("later");
      // Express 4 does not hear of a promise.
      if (name === "Express 4") next(error);
      else throw error;
    });
    app.get("/passes", (req, _res, next) => {
      req.session.set("passes", true);
      next(Object.assign(new Error("on purpose"), { status: 418 }));
    });
    const origin = await start(app);
    const first = await ask(`${origin}/throws`);
    expect(first).toMatchObject({ status: 500, isComplete: true });
    const headers = cookieOf(first);
    expect(await ask(`${origin}/rejects`, { headers })).toMatchObject({ status: 500 });
    expect(await ask(`${origin}/passes`, { headers })).toMatchObject({ status: 418 });
    expect((await manager.list()).items).toMatchObject([
      { metadata: { throws: true, rejects: true, passes: true } },
    ]);
    expect((await timeline(manager)).map(({ statusCode }) => statusCode)).toEqual([500, 500, 418]);
  });

  it("sends the answer as it was where the handler throws after it", async () => {
    const manager = newManager();
    const app = express();
    app.use(session(manager));
    app.get("/", (req, res) => {
      req.session.set("a", 1);
      res.json({ answered: true });
      throw new Error("too late");
    });
    const reply = await ask(`${await start(app)}/`);
    expect(reply).toMatchObject({ status: 200, body: '{"answered":true}', isComplete: true });
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
  });

  it("survives a handler that throws after its headers, and stores what it changed (F-31)", async () => {
    const manager = newManager();
    const app = express();
    app.use(session(manager));
    app.get("/", (req, res) => {
      res.write("begin");
      req.session.set("a", 1);
      throw new Error("after the headers");
    });
    app.get("/read", (req, res) => void res.json(req.session.metadata));
    const origin = await start(app);
    const outcome = await ask(`${origin}/`).catch(() => undefined);
    expect(outcome?.isComplete ?? false).toBe(false);
    expect((await manager.list()).items).toMatchObject([{ metadata: { a: 1 } }]);
    expect(await ask(`${origin}/read`)).toMatchObject({ status: 200 });
  });

  it("counts files, conditional answers, HEAD and events as they were sent", async () => {
    const manager = newManager();
    const app = express();
    const file = fileURLToPath(import.meta.url);
    const arrived = Promise.withResolvers<Response>();
    app.use(session(manager));
    app.get("/json", (_req, res) => void res.json({ text: "Größe" }));
    app.get("/file", (_req, res) => res.sendFile(file));
    app.get("/events", (_req, res) => {
      res.set("Content-Type", "text/event-stream").flushHeaders();
      res.write("data: 1\n\n");
      arrived.resolve(res);
    });
    const origin = await start(app);
    const first = await ask(`${origin}/json`);
    const headers = cookieOf(first);
    const sent = [first.size];
    const etag = first.headers.etag ?? "";
    await ask(`${origin}/json`, { headers: { ...headers, "If-None-Match": etag } });
    await ask(`${origin}/json`, { headers, method: "HEAD" });
    sent.push(0, 0, (await ask(`${origin}/file`, { headers })).size);
    sent.push((await ask(`${origin}/file`, { headers: { ...headers, Range: "bytes=0-9" } })).size);
    const events = send(`${origin}/events`, { headers });
    await events.received("data: 1");
    const res = await arrived.promise;
    events.request.destroy();
    await once(res, "close");
    sent.push(9);
    const entries = await timeline(manager);
    expect(entries.map(({ responseSize }) => responseSize)).toEqual(sent);
    expect(entries.map(({ statusCode }) => statusCode)).toEqual([200, 304, 200, 200, 206, 200]);
  });

  it("opens one visit where nested routers bring their own", async () => {
    const manager = newManager();
    const app = express();
    const router = express.Router();
    app.use(session(manager));
    router.use(session(manager));
    router.get("/page", (req, res) => void res.send(req.session.id));
    app.use("/nested", router);
    const { cookies } = await ask(`${await start(app)}/nested/page?q=1`);
    expect(cookies).toHaveLength(1);
    expect(await timeline(manager)).toMatchObject([{ endpoint: "/nested/page" }]);
  });

  describe("behind a proxy", () => {
    const forwarded = { "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https" };
    const addresses = async (manager: ReturnType<typeof newManager>): Promise<string[]> =>
      (await manager.list()).items.map(({ ipAddress }) => ipAddress);

    it("believes no header by default (R-47)", async () => {
      const manager = newManager();
      const app = express();
      app.use(session(manager), (_req, res) => void res.send("ok"));
      const { cookies } = await ask(`${await start(app)}/`, { headers: forwarded });
      expect(await addresses(manager)).toEqual(["127.0.0.1"]);
      expect(cookies[0]).not.toContain("Secure");
    });

    it("believes what Express believes where the application has set `trust proxy`", async () => {
      const manager = newManager();
      const app = express();
      app.set("trust proxy", "loopback");
      app.use(session(manager), (_req, res) => void res.send("ok"));
      const { cookies } = await ask(`${await start(app)}/`, { headers: forwarded });
      expect(await addresses(manager)).toEqual(["203.0.113.9"]);
      expect(cookies[0]).toMatch(/^__Host-kyb_session_id=.*Secure/);
    });

    it("believes what the manager's trustProxy says otherwise", async () => {
      const manager = newManager({ trustProxy: ["127.0.0.1/32"] });
      const app = express();
      app.use(session(manager), (_req, res) => void res.send("ok"));
      const { cookies } = await ask(`${await start(app)}/`, { headers: forwarded });
      expect(await addresses(manager)).toEqual(["203.0.113.9"]);
      expect(cookies[0]).toContain("Secure");
    });

    it("takes the connection from the option above all", async () => {
      const manager = newManager();
      const app = express();
      app.set("trust proxy", true);
      app.use(
        session(manager, { connection: (req) => ({ remoteAddress: req.get("X-Real") ?? "" }) }),
      );
      app.use((_req, res) => void res.send("ok"));
      await ask(`${await start(app)}/`, { headers: { ...forwarded, "X-Real": "198.51.100.3" } });
      expect(await addresses(manager)).toEqual(["198.51.100.3"]);
    });
  });
});
