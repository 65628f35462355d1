import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { type HttpBindings, serve } from "@hono/node-server";
import {
  type AdapterApp,
  type AdapterHarness,
  adapterSuite,
  type Layer,
  type Reply,
  type TestData,
} from "@kyb/session-testkit";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { stream } from "hono/streaming";
import type { ContentfulStatusCode, RedirectStatusCode, StatusCode } from "hono/utils/http-status";
import { mount, type SessionEnv, type SessionOptions, session, sessionApi } from "../src/index.ts";

/** Where Hono runs. */
interface Place {
  /** Takes a request from the server into the application. */
  enter(
    host: Hono<SessionEnv<TestData>>,
    request: Request,
    env: HttpBindings,
  ): Response | Promise<Response>;
  /** What the adapter has to be told there. */
  readonly options: SessionOptions;
}

/** Its Node server, which hands over what Node knows of the request. */
const onNode: Place = { enter: (host, request, env) => host.fetch(request, env), options: {} };

/**
 * A host that speaks `Request` and `Response` and nothing else, as Bun, Deno and Workers do. What such a host knows of
 * the peer it tells in bindings of its own.
 */
const onFetch: Place = {
  enter: (host, request, { incoming }) =>
    host.fetch(request, { peer: incoming.socket.remoteAddress }),
  options: { connection: (c) => ({ remoteAddress: c.env.peer }) },
};

function harnessOf(place: Place): AdapterHarness {
  return {
    async start(app) {
      const host = new Hono<SessionEnv<TestData>>();
      for (const layer of app.layers) {
        const prefix = ("at" in layer ? layer.at : undefined) ?? "";
        host.use(`${prefix}/*`, middleware(app, layer, place.options));
      }
      for (const [path, handler] of app.routes) {
        host.all(path, async (c) => {
          const { pathname, search } = new URL(c.req.url);
          return reply(c, await handler({ session: c.var.session, url: pathname + search }));
        });
      }
      const { onError } = app;
      if (onError !== undefined) host.onError((error, c) => reply(c, onError(error)));
      const server = serve({
        fetch: (request, env) => place.enter(host, request, env as HttpBindings),
        hostname: "127.0.0.1",
        port: 0,
      }) as Server;
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      return {
        origin: `http://127.0.0.1:${port}`,
        async close() {
          server.closeAllConnections();
          server.close();
          await once(server, "close");
        },
      };
    },
  };
}

function middleware(
  { manager }: AdapterApp,
  layer: Layer,
  options: SessionOptions,
): MiddlewareHandler {
  switch (layer.kind) {
    case "session":
      return session(manager, options);
    case "api":
      return sessionApi(manager, { ...layer.options, ...options });
    case "mount":
      return mount(layer.handler, options);
    case "body-parser":
      // What a validator does: reads the body by `c.req`, which keeps it.
      return async (c, next) => {
        if (c.req.header("content-type") === "application/json") await c.req.json();
        await next();
      };
  }
}

function reply(c: Context, { status, headers, cookies, body }: Reply): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  for (const cookie of cookies) c.header("Set-Cookie", cookie, { append: true });
  c.status(status as StatusCode);
  switch (body.kind) {
    case "none":
      return c.body(null);
    case "text":
      return c.text(body.text);
    case "json":
      return c.json(body.value as object, status as ContentfulStatusCode);
    case "redirect":
      return c.redirect(body.location, status as RedirectStatusCode);
    case "stream":
      return stream(c, (out) => body.run(async (text) => void (await out.write(text))));
    case "pipe":
      return c.body(Readable.toWeb(Readable.from(body.chunks())) as ReadableStream<Uint8Array>);
  }
}

adapterSuite("Hono on Node", harnessOf(onNode));
adapterSuite("Hono on a host that speaks fetch", harnessOf(onFetch));
