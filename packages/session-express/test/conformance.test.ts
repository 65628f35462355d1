import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import {
  type AdapterApp,
  type AdapterHarness,
  adapterSuite,
  type Layer,
  type Reply,
} from "@kyb/session-testkit";
import express, { type ErrorRequestHandler, type RequestHandler, type Response } from "express";
import express4 from "express4";
import { mount, session, sessionApi, sessionOf } from "../src/pure.ts";

function harnessOf(framework: typeof express): AdapterHarness {
  return {
    async start(app) {
      const host = framework();
      // The default handler prints every error otherwise.
      host.set("env", "test");
      for (const layer of app.layers) {
        host.use(("at" in layer ? layer.at : undefined) ?? "/", middleware(framework, app, layer));
      }
      for (const [path, handler] of app.routes) {
        host.all(path, (req, res, next) => {
          handler({ session: sessionOf(app.manager, req), url: req.originalUrl })
            .then((reply) => send(res, reply))
            .catch(next);
        });
      }
      const { onError } = app;
      if (onError !== undefined) {
        const handle: ErrorRequestHandler = (error, _req, res, next) => {
          if (res.headersSent) next(error);
          else send(res, onError(error)).catch(next);
        };
        host.use(handle);
      }
      const server = createServer(host);
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
}

function middleware(
  framework: typeof express,
  { manager }: AdapterApp,
  layer: Layer,
): RequestHandler {
  switch (layer.kind) {
    case "session":
      return session(manager);
    case "api":
      return sessionApi(manager, layer.options);
    case "mount":
      return mount(layer.handler);
    case "body-parser":
      return framework.json();
  }
}

async function send(res: Response, { status, headers, cookies, body }: Reply): Promise<void> {
  res.status(status).set(headers);
  for (const cookie of cookies) res.append("Set-Cookie", cookie);
  switch (body.kind) {
    case "none":
      res.end();
      return;
    case "text":
      res.send(body.text);
      return;
    case "json":
      res.json(body.value);
      return;
    case "redirect":
      res.redirect(status, body.location);
      return;
    case "stream":
      await body.run(async (text) => void res.write(text));
      res.end();
      return;
    case "pipe":
      Readable.from(body.chunks()).pipe(res);
  }
}

adapterSuite("Express 5", harnessOf(express));
adapterSuite("Express 4", harnessOf(express4 as unknown as typeof express));
