import { once } from "node:events";
import { describe, expect, it } from "vitest";
import {
  type FetchHandler,
  type MountOptions,
  mount,
  type Session,
  session,
} from "../src/index.ts";
import { type Ask, ask, send } from "./support/client.ts";
import { listen, newManager, timeline } from "./support/host.ts";

/** A host that mounts a handler, and what it passed on or failed with. */
async function mounted(
  handler: FetchHandler,
  options: MountOptions = {},
  prepare: (req: object) => unknown = () => undefined,
) {
  const passed: string[] = [];
  const errors: unknown[] = [];
  const middleware = mount(handler, options);
  const { origin } = await listen(async (req, res) => {
    await prepare(req);
    middleware(req, res, async (error) => {
      if (error === undefined) {
        let body = "";
        for await (const chunk of req) body += String(chunk);
        passed.push(body);
      } else errors.push(error);
      res.statusCode = error === undefined ? 404 : 500;
      res.end("host");
    });
  });
  return {
    origin,
    passed,
    errors,
    ask: (path: string, options?: Ask) => ask(origin + path, options),
  };
}

describe("mount()", () => {
  it("hands over the whole request, and carries its own name", async () => {
    expect(mount(() => undefined).name).toBe("mount");
    const host = await mounted(async (request, connection) => {
      const { method, url, headers } = request;
      return Response.json({
        method,
        url: url.replace(/:\d+/, ""),
        header: headers.get("X-Given"),
        body: await request.text(),
        peer: connection?.remoteAddress,
      });
    });
    const reply = await host.ask("/a/b?c=d", {
      method: "POST",
      body: "some text",
      headers: { "X-Given": ["1", "2"] },
    });
    expect(JSON.parse(reply.body)).toEqual({
      method: "POST",
      url: "http://127.0.0.1/a/b?c=d",
      header: "1, 2",
      body: "some text",
      peer: "127.0.0.1",
    });
  });

  it("sends the whole response: status, headers, each Set-Cookie for itself", async () => {
    const handler: FetchHandler = () => {
      const headers = new Headers({ "X-Made": "1", Vary: "Accept" });
      headers.append("Set-Cookie", "a=1");
      headers.append("Set-Cookie", "b=2");
      return new Response("made", { status: 201, statusText: "Made", headers });
    };
    const middleware = mount(handler);
    const { origin } = await listen((req, res) => {
      res.setHeader("Set-Cookie", "app=1");
      res.setHeader("Vary", "Origin");
      middleware(req, res, () => res.end());
    });
    const reply = await ask(`${origin}/`);
    expect(reply).toMatchObject({
      status: 201,
      message: "Made",
      body: "made",
      cookies: ["app=1", "a=1", "b=2"],
    });
    expect(reply.headers).toMatchObject({ "x-made": "1", vary: "Origin, Accept" });
  });

  it("passes on what the handler does not answer, with its body unread", async () => {
    const host = await mounted(() => undefined);
    expect(await host.ask("/", { method: "POST", body: "for the host" })).toMatchObject({
      status: 404,
      body: "host",
    });
    expect(host.passed).toEqual(["for the host"]);
  });

  it.each(["/a/../b", "/a/./b", "/a/%2e%2E/b", "/a\\\\b", "/..", "/a/.?x"])(
    "passes on %s, which a URL would rewrite (R-66)",
    async (path) => {
      const host = await mounted(() => new Response("answered"));
      expect(await host.ask(path)).toMatchObject({ body: "host" });
    },
  );

  it.each(["/a?b=/../c", "/a..b/.c", "//a", "/%2f%2e", "/ä"])("answers %s", async (path) => {
    const host = await mounted(() => new Response("answered"));
    expect(await host.ask(encodeURI(path).replaceAll("%25", "%"))).toMatchObject({
      body: "answered",
    });
  });

  it("passes on a method that no Request can have", async () => {
    const host = await mounted(() => new Response("answered"));
    expect(await host.ask("/", { method: "TRACE" })).toMatchObject({ body: "host" });
  });

  it("believes no Host that is none", async () => {
    const host = await mounted((request) => new Response(new URL(request.url).host));
    for (const header of ["a/b", "user@evil", "a b", "a?b", "[::1", "a:b"]) {
      expect(await host.ask("/", { headers: { Host: header } })).toMatchObject({
        body: "unknown.invalid",
      });
    }
    expect(await host.ask("/", { headers: { Host: "[::1]:8080" } })).toMatchObject({
      body: "[::1]:8080",
    });
  });

  it("hands what the handler throws to the host", async () => {
    const host = await mounted(() => Promise.reject(new Error("thrown")));
    expect(await host.ask("/")).toMatchObject({ status: 500, body: "host" });
    expect(host.errors).toMatchObject([{ message: "thrown" }]);
  });

  it("hands a body that fails at once to the host, and nothing of the response is left", async () => {
    const failing = (): ReadableStream =>
      new ReadableStream({ pull: () => Promise.reject(new Error("no body")) });
    const host = await mounted(
      () => new Response(failing(), { headers: { "Content-Type": "text/x" } }),
    );
    const reply = await host.ask("/");
    expect(reply).toMatchObject({ status: 500, body: "host" });
    expect(reply.headers["content-type"]).toBeUndefined();
    expect(host.errors).toMatchObject([{ message: "no body" }]);
  });

  it("cuts off a body that fails later", async () => {
    const broken = Promise.withResolvers<never>();
    const host = await mounted(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
            pull: () => broken.promise,
          }),
        ),
    );
    const sent = send(`${host.origin}/`);
    await sent.received("begin");
    broken.reject(new Error("no more"));
    expect(await sent.reply).toMatchObject({ body: "begin", isComplete: false });
    expect(host.errors).toEqual([]);
  });

  it.each(["HEAD", "GET"])(
    "sends no body to %s where there is none to send, and cancels it",
    async (method) => {
      let cancelled = 0;
      const stream = (): ReadableStream => new ReadableStream({ cancel: () => void cancelled++ });
      const host = await mounted(() =>
        method === "HEAD"
          ? new Response(stream(), { headers: { "Content-Length": "5" } })
          : new Response(null, { status: 204 }),
      );
      const reply = await host.ask("/", { method });
      expect(reply).toMatchObject({
        status: method === "HEAD" ? 200 : 204,
        body: "",
        isComplete: true,
      });
      expect(cancelled).toBe(method === "HEAD" ? 1 : 0);
    },
  );

  it("sends the headers of a stream that is silent at first, and waits for a client that is slow", async () => {
    const go = Promise.withResolvers<void>();
    let pulled = 0;
    const host = await mounted(
      () =>
        new Response(
          new ReadableStream(
            {
              async pull(controller) {
                if (pulled === 0) await go.promise;
                pulled++;
                if (pulled > 200) controller.close();
                else controller.enqueue(new Uint8Array(100_000));
              },
            },
            { highWaterMark: 0 },
          ),
        ),
    );
    const { head, reply } = send(`${host.origin}/`);
    const response = await head;
    response.pause();
    go.resolve();
    // Until the client reads, only what fits into the buffers on the way is asked for.
    await once(response, "readable");
    expect(pulled).toBeLessThan(200);
    response.resume();
    expect((await reply).size).toBe(20_000_000);
  });

  it("tells the handler when the client leaves", async () => {
    const aborted = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const host = await mounted((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode("begin")),
          cancel: () => cancelled.resolve(),
        }),
      );
    });
    const sent = send(`${host.origin}/`);
    await sent.received("begin");
    sent.request.destroy();
    await Promise.all([aborted.promise, cancelled.promise]);
    expect(host.errors).toEqual([]);
  });

  it("keeps the connection usable for a handler that does not read its body to the end", async () => {
    const host = await mounted(async (request) => {
      const reader = request.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      return new Response("enough", { status: 413 });
    });
    expect(await host.ask("/", { method: "POST", body: Buffer.alloc(1_000_000) })).toMatchObject({
      status: 413,
      body: "enough",
      isComplete: true,
    });
  });

  it.each<[string, unknown, string]>([
    ["an object", { a: ["b"] }, '{"a":["b"]}'],
    ["a list", [1, null], "[1,null]"],
    ["a text", "as it is", "as it is"],
    ["bytes", Buffer.from("bytes"), "bytes"],
    ["nothing", undefined, ""],
  ])("makes the body again from what a parser has made: %s", async (_kind, parsed, body) => {
    const host = await mounted(
      async (request) =>
        new Response(
          `${request.headers.get("content-type")} ${request.headers.get("content-length")} ${await request.text()}`,
        ),
      {},
      async (req) => {
        for await (const _chunk of req as AsyncIterable<unknown>);
        Object.assign(req, { body: parsed });
      },
    );
    const reply = await host.ask("/", {
      method: "POST",
      body: "raw",
      headers: { "Content-Type": "application/json" },
    });
    expect(reply.body).toBe(`application/json null ${body}`);
  });

  it("reads the body itself where a parser has left it alone", async () => {
    const host = await mounted(
      async (request) => new Response(await request.text()),
      {},
      (req) => Object.assign(req, { body: {} }),
    );
    expect(await host.ask("/", { method: "POST", body: "raw" })).toMatchObject({ body: "raw" });
  });

  it.each([
    ["Express", { originalUrl: "/admin/x?y", baseUrl: "/admin", url: "/x?y" }, "/admin"],
    ["Connect", { originalUrl: "/admin/x?y", url: "/x?y" }, "/admin"],
    ["Connect, at the mount point itself", { originalUrl: "/admin?y", url: "/?y" }, "/admin"],
    ["no router", {}, ""],
  ])("says what a router has cut off: %s", async (_kind, routed, expected) => {
    const host = await mounted(
      (request, _connection, context) =>
        new Response(`${context?.mountPath} ${new URL(request.url).pathname}`),
      {},
      (req) => Object.assign(req, routed),
    );
    const path = "originalUrl" in routed ? new URL(routed.originalUrl, "http://a").pathname : "/x";
    expect(await host.ask(path)).toMatchObject({ body: `${expected} ${path}` });
  });

  it("gives the visit of its manager alone, which session() then completes", async () => {
    const manager = newManager();
    const other = newManager();
    const seen: unknown[] = [];
    const handler: FetchHandler = (_request, _connection, context) => {
      const current = context?.visit?.session as Session | undefined;
      seen.push(current?.state);
      current?.set("mounted", true);
      return new Response("ok");
    };
    const middleware = session(manager);
    const mounts = {
      "/own": mount(handler, { manager }),
      "/other": mount(handler, { manager: other }),
      "/none": mount(handler),
    };
    const { origin } = await listen((req, res) =>
      middleware(req, res, () => mounts[req.url as "/own"](req, res, () => res.end())),
    );
    for (const path of Object.keys(mounts))
      expect(await ask(origin + path)).toMatchObject({ body: "ok" });
    expect(seen).toEqual(["ok", undefined, undefined]);
    const { items } = await manager.list();
    expect(items.map(({ metadata }) => metadata).reverse()).toEqual([{ mounted: true }, {}, {}]);
    expect(await timeline(other)).toEqual([]);
  });
});
