import { once } from "node:events";
import { IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { isSessionError, type Session, session, sessionOf, visitOf } from "../src/index.ts";
import { ask, cookieOf, send } from "./support/client.ts";
import { listen, newManager, serveHandlers, timeline } from "./support/host.ts";
import { RemoteStore } from "./support/remote-store.ts";

const sessionIn = (req: IncomingMessage): Session =>
  (req as unknown as { session: Session }).session;

describe("session()", () => {
  it("gives the request its session and carries its own name in stack traces", async () => {
    const manager = newManager();
    const middleware = session(manager);
    expect(middleware.name).toBe("session");
    const { origin } = await listen((req, res) =>
      middleware(req, res, () => {
        expect(Object.keys(req)).toContain("session");
        expect(JSON.stringify(Object.keys(req))).not.toContain("opened");
        expect(sessionOf(manager, req)).toBe(sessionIn(req));
        expect(visitOf(req, manager)?.session).toBe(sessionIn(req));
        res.end(sessionIn(req).id);
      }),
    );
    const first = await ask(`${origin}/`);
    expect(await ask(`${origin}/`, { headers: cookieOf(first) })).toMatchObject({
      body: first.body,
    });
  });

  it("passes on what kept it from opening, and changes nothing (R-77)", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const middleware = session(manager);
    const unchanged: unknown[] = [];
    const { origin } = await listen((req, res) =>
      middleware(req, res, (error) => {
        unchanged.push(Object.hasOwn(res, "end"), "session" in req, visitOf(req, manager));
        if (!isSessionError(error)) throw new Error("An error was expected.");
        for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
        res.statusCode = error.status;
        res.end();
      }),
    );
    store.break("create");
    const reply = await ask(`${origin}/`);
    expect(reply).toMatchObject({ status: 503, cookies: [] });
    expect(reply.headers["retry-after"]).toBe("1");
    expect(unchanged).toEqual([false, false, undefined]);
  });

  it("does nothing the second time on one request", async () => {
    const manager = newManager();
    const outer = session(manager);
    const inner = session(manager);
    const { origin } = await listen((req, res) =>
      outer(req, res, () => {
        const handle = sessionIn(req);
        const { end } = res;
        inner(req, res, () => {
          expect(sessionIn(req)).toBe(handle);
          expect(res.end).toBe(end);
          res.end("once");
        });
      }),
    );
    const reply = await ask(`${origin}/`);
    expect(reply.cookies).toHaveLength(1);
    expect(await timeline(manager)).toHaveLength(1);
  });

  it("keeps two managers apart on one request", async () => {
    const users = newManager();
    const admins = newManager({ cookie: { name: "admin_session" } });
    const [first, second] = [session(users), session(admins)];
    const { origin } = await listen((req, res) =>
      first(req, res, () =>
        second(req, res, () => {
          sessionOf(users, req).set("who", "user");
          sessionOf(admins, req).set("who", "admin");
          expect(sessionIn(req)).toBe(sessionOf(admins, req));
          res.end("both");
        }),
      ),
    );
    const reply = await ask(`${origin}/`);
    expect(reply.cookies.map((cookie) => cookie.split("=", 1)[0]).sort()).toEqual([
      "admin_session",
      "kyb_session_id",
    ]);
    expect((await users.list()).items).toMatchObject([{ metadata: { who: "user" } }]);
    expect((await admins.list()).items).toMatchObject([{ metadata: { who: "admin" } }]);
    expect(await timeline(admins)).toHaveLength(1);
  });

  it("says what is missing where it has not run", () => {
    const manager = newManager();
    const req = new IncomingMessage(null as never);
    expect(visitOf(req, manager)).toBeUndefined();
    expect(() => sessionOf(manager, req)).toThrow("put session(manager) before the handler");
  });

  it("calls no handler for a client that left while the store was asked", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const middleware = session(manager);
    let handled = 0;
    const arrived = Promise.withResolvers<ServerResponse>();
    const { origin } = await listen((req, res) => {
      if (req.url === "/left") arrived.resolve(res);
      middleware(req, res, () => {
        handled++;
        res.end();
      });
    });
    const headers = cookieOf(await ask(`${origin}/`));
    const find = store.hold("find");
    const { request } = send(`${origin}/left`, { headers });
    const res = await arrived.promise;
    await find.arrived;
    request.destroy();
    await once(res, "close");
    find.release();
    await ask(`${origin}/`, { headers });
    expect(handled).toBe(2);
    expect((await timeline(manager)).map(({ path, status }) => [path, status])).toEqual([
      ["/", 200],
      ["/left", 499],
      ["/", 200],
    ]);
  });

  it("takes the connection from the option", async () => {
    const manager = newManager();
    const middleware = session(manager, {
      connection: () => ({ remoteAddress: "::ffff:192.0.2.7", encrypted: true }),
    });
    const { origin } = await listen((req, res) => middleware(req, res, () => res.end()));
    const reply = await ask(`${origin}/`);
    expect(reply.cookies[0]).toMatch(/^__Host-kyb_session_id=.*; Secure/);
    expect((await manager.list()).items).toMatchObject([{ ipAddress: "192.0.2.7" }]);
  });

  it("puts no function of its own on a response, which would burden the collector", async () => {
    const middleware = session(newManager());
    const methods = new Set<unknown>();
    const { origin } = await listen((req, res) =>
      middleware(req, res, () => {
        for (const value of Object.values(res)) if (typeof value === "function") methods.add(value);
        res.end();
      }),
    );
    await ask(`${origin}/`);
    const afterOne = methods.size;
    await ask(`${origin}/`);
    expect(afterOne).toBeGreaterThanOrEqual(4);
    // Node itself puts one on it that belongs to the connection.
    expect(methods.size - afterOne).toBeLessThanOrEqual(1);
  });

  it("builds no Request, Headers or URL", async () => {
    const manager = newManager();
    const middleware = session(manager);
    const built: string[] = [];
    const originals = { Request, Headers, URL };
    const { origin } = await listen((req, res) => {
      for (const name of ["Request", "Headers", "URL"] as const) {
        globalThis[name] = new Proxy(originals[name], {
          construct: (target, args) => {
            built.push(name);
            return Reflect.construct(target, args);
          },
        }) as never;
      }
      res.on("close", () => Object.assign(globalThis, originals));
      middleware(req, res, () => {
        sessionIn(req).increment("n");
        res.end();
      });
    });
    await ask(`${origin}/`);
    expect(built).toEqual([]);
    expect(globalThis.URL).toBe(originals.URL);
  });

  it("keeps what a handler changed before it threw", async () => {
    const manager = newManager();
    const { origin } = await serveHandlers(manager, {
      "/": (_req, _res, current) => {
        current.set("tries", 1);
        throw new Error("after the change");
      },
    });
    expect(await ask(`${origin}/`)).toMatchObject({ status: 500, isComplete: true });
    expect((await manager.list()).items).toMatchObject([{ metadata: { tries: 1 } }]);
  });
});

/** Middleware that replaces `write` and `end`, as compression does: it doubles every byte. */
function doubling(next: RequestListener): RequestListener {
  return (req, res) => {
    const write = res.write.bind(res) as (chunk: Buffer) => boolean;
    const end = res.end.bind(res) as () => ServerResponse;
    const double = (chunk: unknown): Buffer => {
      const bytes = Buffer.from(chunk as string);
      return Buffer.concat([bytes, bytes]);
    };
    res.write = ((chunk: unknown) => {
      if (!res.headersSent) res.removeHeader("Content-Length");
      return write(double(chunk));
    }) as typeof res.write;
    res.end = ((chunk?: unknown) => {
      // It looks at the headers and sends them before it has a body, and it writes by the public method of below.
      if (!res.headersSent) res.removeHeader("Content-Length");
      if (chunk !== undefined && typeof chunk !== "function") write(double(chunk));
      return end();
    }) as typeof res.end;
    next(req, res);
  };
}

/** The same with a body that is ready later: it makes the head at once, and writes and ends in a later turn. */
function doublingLater(next: RequestListener): RequestListener {
  return (req, res) => {
    const write = res.write.bind(res) as (chunk: Buffer) => boolean;
    const end = res.end.bind(res) as () => ServerResponse;
    const chunks: Buffer[] = [];
    res.write = ((chunk: unknown) => {
      chunks.push(Buffer.from(chunk as string));
      return true;
    }) as typeof res.write;
    res.end = ((chunk?: unknown) => {
      if (chunk !== undefined) chunks.push(Buffer.from(chunk as string));
      res.removeHeader("Content-Length");
      if (!res.headersSent) (res as unknown as { _implicitHeader(): void })._implicitHeader();
      setImmediate(() => {
        const bytes = Buffer.concat(chunks);
        write(bytes);
        write(bytes);
        end();
      });
      return res;
    }) as typeof res.end;
    next(req, res);
  };
}

describe.each([
  ["that answers at once", doubling],
  ["that answers later", doublingLater],
])("session() among middleware that replaces the same methods, %s", (_kind, around) => {
  const answer = (res: ServerResponse, current: Session, path: string | undefined): void => {
    if (path?.startsWith("/dirty")) current.increment("n");
    res.setHeader("Content-Length", 3);
    if (path?.endsWith("end")) {
      res.end("abc");
      return;
    }
    res.removeHeader("Content-Length");
    res.write("a");
    res.write("b");
    res.end("c");
  };
  const paths = ["/clean/end", "/dirty/end", "/clean/write", "/dirty/write"];

  it("works before it, and counts what was made of the body", async () => {
    const manager = newManager();
    const middleware = session(manager);
    const { origin } = await listen((req, res) =>
      middleware(req, res, () =>
        around((_req, response) => answer(response, sessionIn(req), req.url))(req, res),
      ),
    );
    let headers = {};
    for (const path of paths) {
      const reply = await ask(origin + path, { headers });
      expect(reply).toMatchObject({ status: 200, size: 6, isComplete: true });
      if (reply.cookies.length > 0) headers = cookieOf(reply);
    }
    expect((await timeline(manager)).map(({ size }) => size)).toEqual([6, 6, 6, 6]);
    expect((await manager.list()).items).toMatchObject([{ metadata: { n: 2 } }]);
  });

  it("works behind it, and counts what the handler wrote", async () => {
    const manager = newManager();
    const middleware = session(manager);
    const { origin } = await listen(
      around((req, res) => middleware(req, res, () => answer(res, sessionIn(req), req.url))),
    );
    let headers = {};
    for (const path of paths) {
      const reply = await ask(origin + path, { headers });
      expect(reply).toMatchObject({ status: 200, size: 6, isComplete: true });
      if (reply.cookies.length > 0) headers = cookieOf(reply);
    }
    expect((await timeline(manager)).map(({ size }) => size)).toEqual([3, 3, 3, 3]);
    expect((await manager.list()).items).toMatchObject([{ metadata: { n: 2 } }]);
  });
});
