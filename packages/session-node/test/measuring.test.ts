import { once } from "node:events";
import { Agent, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { session } from "../src/index.ts";
import { ask, cookieOf, send } from "./support/client.ts";
import { listen, newManager, serveHandlers, timeline } from "./support/host.ts";

describe("what the timeline says of an answer", () => {
  it.each<[string, number, number, (res: ServerResponse) => void]>([
    ["a text", 200, 7, (res) => res.end("Größe")],
    ["a text in another encoding", 200, 4, (res) => res.end("deadbeef", "hex")],
    ["bytes", 200, 3, (res) => res.end(new Uint8Array([1, 2, 3]))],
    ["nothing", 200, 0, (res) => res.end()],
    ["only a callback", 200, 0, (res) => res.end(() => undefined)],
    [
      "a stream of chunks",
      200,
      9,
      (res) => {
        res.write("abc");
        res.write(Buffer.from("def"));
        res.write("Z2hp", "base64");
        res.end();
      },
    ],
    [
      "a piped stream",
      206,
      300_000,
      (res) => {
        res.statusCode = 206;
        Readable.from([Buffer.alloc(100_000), Buffer.alloc(200_000)]).pipe(res);
      },
    ],
    ["an explicit head", 418, 3, (res) => res.writeHead(418, { "Content-Length": 3 }).end("tea")],
    ["204", 204, 0, (res) => res.writeHead(204).end("no body")],
    [
      "304",
      304,
      0,
      (res) => {
        res.statusCode = 304;
        res.end("no body");
      },
    ],
  ])("has the bytes of %s", async (_kind, status, size, answer) => {
    const manager = newManager();
    const { origin } = await serveHandlers(manager, {
      "/clean": async (_req, res) => {
        answer(res);
        await once(res, "close");
      },
      "/dirty": async (_req, res, current) => {
        current.increment("n");
        answer(res);
      },
    });
    const first = await ask(`${origin}/clean`);
    const closed = await ask(`${origin}/dirty`, { headers: cookieOf(first) });
    expect(closed.status).toBe(status);
    expect(await timeline(manager)).toMatchObject([
      { path: "/clean", status, size },
      { path: "/dirty", status, size },
    ]);
  });

  it("has no bytes for an answer to HEAD", async () => {
    const manager = newManager();
    const { origin } = await serveHandlers(manager, { "/": (_req, res) => res.end("not sent") });
    await ask(`${origin}/`, { method: "HEAD" });
    expect(await timeline(manager)).toMatchObject([{ status: 200, size: 0 }]);
  });

  it("has the time until the last byte, by the manager's clock", async () => {
    let milliseconds = 0;
    const manager = newManager({ clock: { now: () => 1e12, monotonic: () => milliseconds } });
    const { origin } = await serveHandlers(manager, {
      "/": (_req, res) => {
        milliseconds += 20;
        res.write("begin");
        milliseconds += 22;
        res.end();
      },
    });
    await ask(`${origin}/`);
    expect(await timeline(manager)).toMatchObject([{ duration: 42, path: "/" }]);
  });

  it("has the whole path without its query, also behind a router that cuts it", async () => {
    const manager = newManager();
    const middleware = session(manager);
    const { origin } = await listen((req, res) => {
      Object.assign(req, { originalUrl: req.url });
      req.url = "/rest";
      middleware(req, res, () => res.end());
    });
    await ask(`${origin}/prefix/rest?secret=1`);
    expect(await timeline(manager)).toMatchObject([{ path: "/prefix/rest" }]);
  });

  it("has every request of a connection that is kept alive", async () => {
    const manager = newManager();
    const { origin } = await serveHandlers(manager, {
      "/": (_req, res) => res.end("1"),
      "/set": (_req, res, current) => {
        current.increment("n");
        res.end("22");
      },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = cookieOf(await ask(`${origin}/`, { agent }));
    for (const path of ["/set", "/", "/set"]) await ask(origin + path, { agent, headers });
    agent.destroy();
    expect((await timeline(manager)).map(({ path, size }) => [path, size])).toEqual([
      ["/", 1],
      ["/set", 2],
      ["/", 1],
      ["/set", 2],
    ]);
  });

  it("keeps the order of pipelined requests, of which some wait for the store", async () => {
    const { origin } = await serveHandlers(newManager(), {
      "/1": (_req, res, current) => {
        current.set("a", 1);
        res.end("one");
      },
      "/2": (_req, res) => res.end("two"),
    });
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect([...text.matchAll(/one|two/g)].map(String)).toEqual(["one", "two"]);
  });
});

describe("a client that leaves", () => {
  it("before the headers is a 499, and what the handler changed until then is stored (F-30)", async () => {
    const manager = newManager();
    const arrived = Promise.withResolvers<ServerResponse>();
    const { origin } = await serveHandlers(manager, {
      "/": (_req, res) => res.end(),
      "/slow": (_req, res, current) => {
        current.set("a", 1);
        // It never ends.
        arrived.resolve(res);
      },
      "/read": (_req, res, current) => res.end(JSON.stringify(current.metadata)),
    });
    const headers = cookieOf(await ask(`${origin}/`));
    const { request } = send(`${origin}/slow`, { headers });
    const res = await arrived.promise;
    request.destroy();
    await once(res, "close");
    expect(await ask(`${origin}/read`, { headers })).toMatchObject({ body: '{"a":1}' });
    expect(await timeline(manager)).toMatchObject([
      { path: "/" },
      { path: "/slow", status: 499, size: 0 },
      { path: "/read" },
    ]);
    // A handler that answers after all does no harm.
    res.end("too late");
    expect(await ask(`${origin}/read`, { headers })).toMatchObject({ status: 200 });
    expect(await timeline(manager)).toHaveLength(4);
  });

  it("in the middle of a stream leaves the status and the bytes written until then", async () => {
    const manager = newManager();
    const arrived = Promise.withResolvers<ServerResponse>();
    const { origin } = await serveHandlers(manager, {
      "/events": (_req, res) => {
        res.writeHead(200, { "Content-Type": "text/event-stream" });
        res.write("data: 1\n\n");
        arrived.resolve(res);
      },
    });
    const sent = send(`${origin}/events`);
    await sent.received("data: 1");
    const res = await arrived.promise;
    sent.request.destroy();
    await once(res, "close");
    expect(await timeline(manager)).toMatchObject([{ path: "/events", status: 200, size: 9 }]);
  });
});

describe("a connection that is upgraded", () => {
  it("is not touched", async () => {
    const manager = newManager();
    const middleware = session(manager);
    const { origin, server } = await listen((req, res) => middleware(req, res, () => res.end()));
    server.on("upgrade", (_req, socket) => {
      socket.end(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello",
      );
    });
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toContain("101 Switching Protocols");
    expect(text).toContain("hello");
    expect(await timeline(manager)).toEqual([]);
  });
});
