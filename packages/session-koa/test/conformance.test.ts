import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import {
  type AdapterApp,
  type AdapterHarness,
  adapterSuite,
  type Layer,
  type Reply,
} from "@kyb/session-testkit";
import Koa, { type Context, type Middleware } from "koa";
import { mount, session, sessionApi } from "../src/index.ts";

// An alias of Koa 2, which has no types of its own.
const { default: Koa2 } = (await import("koa2" as string)) as { default: typeof Koa };

function harnessOf(Framework: typeof Koa): AdapterHarness {
  return {
    async start(app) {
      const host = new Framework();
      // The default handler prints every error otherwise.
      host.silent = true;
      const { onError } = app;
      if (onError !== undefined) {
        host.use(async (ctx, next) => {
          try {
            await next();
          } catch (error) {
            send(ctx, onError(error));
          }
        });
      }
      for (const layer of app.layers) host.use(at(layer, middleware(app, layer)));
      host.use(async (ctx) => {
        const handler = app.routes.get(ctx.path);
        if (handler === undefined) return;
        send(ctx, await handler({ session: ctx.session, url: ctx.originalUrl }));
      });
      const server = createServer(host.callback());
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

function middleware({ manager }: AdapterApp, layer: Layer): Middleware {
  switch (layer.kind) {
    case "session":
      return session(manager) as Middleware;
    case "api":
      return sessionApi(manager, layer.options);
    case "mount":
      return mount(layer.handler);
    case "body-parser":
      return async (ctx, next) => {
        const text = Buffer.concat(await ctx.req.toArray()).toString();
        const body = ctx.is("application/json") && text !== "" ? JSON.parse(text) : undefined;
        Object.assign(ctx.request, { body });
        await next();
      };
  }
}

/** What koa-mount does. */
function at(layer: Layer, run: Middleware): Middleware {
  const prefix = "at" in layer ? layer.at : undefined;
  if (prefix === undefined) return run;
  return async (ctx, next) => {
    const { path } = ctx;
    if (!path.startsWith(prefix)) return next();
    ctx.mountPath = prefix;
    ctx.path = path.slice(prefix.length) || "/";
    await run(ctx, async () => {
      ctx.path = path;
      await next();
      ctx.path = path.slice(prefix.length) || "/";
    });
    ctx.path = path;
  };
}

function send(ctx: Context, { status, headers, cookies, body }: Reply): void {
  ctx.set({ ...headers });
  for (const cookie of cookies) ctx.append("Set-Cookie", cookie);
  switch (body.kind) {
    case "none":
      ctx.body = null;
      break;
    case "text":
      ctx.body = body.text;
      break;
    case "json":
      ctx.body = body.value;
      break;
    case "redirect":
      ctx.redirect(body.location);
      break;
    case "stream": {
      const through = new PassThrough();
      ctx.body = through;
      body
        .run(async (text) => void through.write(text))
        .then(
          () => through.end(),
          (error: Error) => through.destroy(error),
        );
      break;
    }
    case "pipe":
      ctx.body = Readable.from(body.chunks());
  }
  ctx.status = status;
}

adapterSuite("Koa 3", harnessOf(Koa));
adapterSuite("Koa 2", harnessOf(Koa2));
