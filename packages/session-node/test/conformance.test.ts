import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import {
  type AdapterApp,
  type AdapterHarness,
  adapterSuite,
  type Layer,
  type Reply,
} from "@kyb/session-testkit";
import { type Middleware, mount, type Next, session, sessionApi, sessionOf } from "../src/index.ts";

type Message = IncomingMessage & { originalUrl?: string; body?: unknown };

/** A program on `node:http` that calls middleware one after the other, and cuts off prefixes, as Connect does. */
const harness: AdapterHarness = {
  cannot: { "default error handling": "a node:http server has none but the program's own" },
  async start(app) {
    const layers = app.layers.map((layer) => at(layer, middleware(app, layer)));
    const server = createServer((req, res) => {
      const fail = (error: unknown): void => {
        // As in every such program: what has begun cannot become an error page.
        if (res.headersSent) res.destroy();
        else send(res, app.onError?.(error) ?? plain(500, "Internal error")).catch(fail);
      };
      const step =
        (index: number): Next =>
        (error) => {
          const layer = layers[index];
          if (error !== undefined) fail(error);
          else if (layer !== undefined) layer(req, res, step(index + 1));
          else route(app, req, res).catch(fail);
        };
      step(0)();
    });
    server.listen(0, "127.0.0.1");
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

function middleware({ manager }: AdapterApp, layer: Layer): Middleware {
  switch (layer.kind) {
    case "session":
      return session(manager);
    case "api":
      return sessionApi(manager, layer.options);
    case "mount":
      return mount(layer.handler);
    case "body-parser":
      return (req, _res, next) => {
        parseBody(req).then(() => next(), next);
      };
  }
}

function at(layer: Layer, run: Middleware): Middleware {
  const prefix = "at" in layer ? layer.at : undefined;
  if (prefix === undefined) return run;
  return (req: Message, res, next) => {
    const { url = "/" } = req;
    if (!url.startsWith(prefix)) return next();
    req.originalUrl ??= url;
    const rest = url.slice(prefix.length);
    req.url = rest.startsWith("/") ? rest : `/${rest}`;
    run(req, res, (error) => {
      req.url = url;
      next(error);
    });
  };
}

async function parseBody(req: Message): Promise<void> {
  const text = Buffer.concat(await req.toArray()).toString();
  const isJson = req.headers["content-type"] === "application/json" && text !== "";
  req.body = isJson ? JSON.parse(text) : undefined;
}

async function route(app: AdapterApp, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { url = "/" } = req;
  const handler = app.routes.get(url.split("?", 1)[0] ?? "");
  if (handler === undefined) return send(res, plain(404, "Not found"));
  await send(res, await handler({ session: sessionOf(app.manager, req), url }));
}

async function send(res: ServerResponse, { status, headers, cookies, body }: Reply): Promise<void> {
  for (const cookie of cookies) res.appendHeader("Set-Cookie", cookie);
  switch (body.kind) {
    case "none":
      res.writeHead(status, headers).end();
      return;
    case "text":
      res.writeHead(status, headers).end(body.text);
      return;
    case "json":
      res.writeHead(status, { ...headers, "Content-Type": "application/json" });
      res.end(JSON.stringify(body.value));
      return;
    case "redirect":
      res.writeHead(status, { ...headers, Location: body.location }).end();
      return;
    case "stream":
      res.writeHead(status, headers);
      await body.run(async (text) => void res.write(text));
      res.end();
      return;
    case "pipe":
      res.writeHead(status, headers);
      Readable.from(body.chunks()).pipe(res);
  }
}

function plain(status: number, text: string): Reply {
  return { status, headers: {}, cookies: [], body: { kind: "text", text } };
}

adapterSuite("node:http", harness);
