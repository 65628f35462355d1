import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type ConnectionInfo,
  isSessionError,
  type RequestHead,
  type ResponseHead,
  type Session,
  type Visit,
} from "@kyb/session-core";
import { type ApiContext, createSessionApi, type SessionApi } from "@kyb/session-core/api";
import type {
  AdapterApp,
  AdapterHarness,
  FetchHandler,
  Layer,
  Reply,
  RunningHost,
  TestData,
} from "../src/index.ts";
import { Exchange, headOf } from "./reference-exchange.ts";

export type { Exchange } from "./reference-exchange.ts";

/** An answer: a reply of the suite's, or a response of a fetch handler. */
export type HostAnswer = Reply | Response;

/** What a layer does; it may answer. */
export type Step = (exchange: Exchange) => Promise<Response | undefined>;

/**
 * The contract of an adapter as plainly as it can be said, in a host of its own on `node:http`, where the adapter has
 * the whole answer in its hands before the first byte leaves. Each step is a method, so that a broken twin differs in
 * one. It is no adapter to use.
 */
export class ReferenceAdapter implements AdapterHarness {
  async start(app: AdapterApp): Promise<RunningHost> {
    const steps = app.layers.map((layer) => this.step(app, layer));
    const server = createServer((req, res) => {
      void this.serve(new Exchange(app, req, res), steps);
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
  }

  async serve(exchange: Exchange, steps: readonly Step[]): Promise<void> {
    const { app, res } = exchange;
    res.on("close", () => this.closed(exchange));
    let answer: HostAnswer;
    try {
      answer = await this.answer(exchange, steps);
    } catch (error) {
      answer = this.answerTo(app, error);
    }
    try {
      await this.commit(exchange);
    } catch (error) {
      answer = this.answerTo(app, error);
    }
    try {
      await this.send(exchange, answer);
    } catch {
      // The headers have left. All that can still be said is that the answer is not complete.
      res.destroy();
    }
  }

  // What a request meets.

  async answer(exchange: Exchange, steps: readonly Step[]): Promise<HostAnswer> {
    const { app, path, url } = exchange;
    for (const step of steps) {
      const response = await step(exchange);
      if (response !== undefined) return response;
    }
    const route = app.routes.get(path);
    if (route === undefined) return plain(404, "Not found");
    const { visit } = exchange;
    if (visit === undefined) throw new Error("There is a route and no session() before it.");
    return route({ session: this.session(exchange, visit), url });
  }

  step(app: AdapterApp, layer: Layer): Step {
    const at = "at" in layer ? layer.at : "";
    const run = this.layer(app, layer, at);
    return async (exchange) => (exchange.path.startsWith(at) ? run(exchange) : undefined);
  }

  layer(app: AdapterApp, layer: Layer, at: string): Step {
    switch (layer.kind) {
      case "session":
        return (exchange) => this.open(exchange);
      case "body-parser":
        return (exchange) => this.parseBody(exchange);
      case "mount":
        return (exchange) => this.mounted(exchange, layer.handler, at);
      case "api": {
        const api = createSessionApi(app.manager, layer.options);
        return (exchange) => this.mounted(exchange, api, at);
      }
    }
  }

  async open(exchange: Exchange): Promise<undefined> {
    const { app, req, res } = exchange;
    exchange.visit ??= await app.manager.visit(this.head(req), this.connection(req));
    // The client has left meanwhile, when there was nothing to finish.
    if (res.destroyed) this.closed(exchange);
  }

  head(req: IncomingMessage): RequestHead {
    return {
      method: req.method ?? "GET",
      url: req.url ?? "/",
      headers: { get: (name) => this.header(req, name.toLowerCase()) },
    };
  }

  header(req: IncomingMessage, name: string): string | null {
    return req.headers[name]?.toString() ?? null;
  }

  connection(req: IncomingMessage): ConnectionInfo {
    return { remoteAddress: req.socket.remoteAddress ?? "", encrypted: false };
  }

  /** The handle that a handler gets. */
  session(_exchange: Exchange, visit: Visit<TestData>): Session<TestData> {
    return visit.session;
  }

  async parseBody(exchange: Exchange): Promise<undefined> {
    const chunks: Uint8Array[] = await exchange.req.toArray();
    exchange.body = Buffer.concat(chunks).toString();
  }

  async mounted(
    exchange: Exchange,
    handler: SessionApi | FetchHandler,
    mountPath: string,
  ): Promise<Response | undefined> {
    const { req } = exchange;
    // Read whole, because nothing that the suite sends is long.
    if (exchange.body === undefined) await this.parseBody(exchange);
    const request = this.request(exchange, mountPath);
    return handler(request, this.connection(req), this.context(exchange, mountPath));
  }

  request({ req, url, body }: Exchange, _mountPath: string): Request {
    const { method = "GET" } = req;
    const headers = new Headers();
    for (const [name, value] of Object.entries(req.headers)) headers.set(name, String(value));
    const hasBody = method !== "GET" && method !== "HEAD";
    return new Request(`http://${req.headers.host}${url}`, {
      method,
      headers,
      body: hasBody ? (body ?? null) : null,
    });
  }

  context({ visit }: Exchange, mountPath: string): ApiContext {
    // A handler asks for the visit without knowing the data of the application.
    return { mountPath, visit: visit as unknown as Visit<object> | undefined };
  }

  // What leaves.

  async commit({ visit }: Exchange): Promise<void> {
    if (visit?.isDirty) await visit.commit();
  }

  async send(exchange: Exchange, answer: HostAnswer): Promise<void> {
    if (answer instanceof Response) await this.sendResponse(exchange, answer);
    else await this.sendReply(exchange, answer);
  }

  async sendReply(exchange: Exchange, { status, headers, cookies, body }: Reply): Promise<void> {
    const { res } = exchange;
    res.statusCode = status;
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    this.addCookies(res, cookies);
    switch (body.kind) {
      case "none":
        return this.end(exchange);
      case "text":
        return this.end(exchange, body.text);
      case "json":
        res.setHeader("Content-Type", "application/json");
        return this.end(exchange, JSON.stringify(body.value));
      case "redirect":
        res.setHeader("Location", body.location);
        return this.end(exchange, "Moved");
      case "stream":
        await body.run((text) => this.write(exchange, text));
        return this.end(exchange);
      case "pipe":
        for await (const chunk of body.chunks()) await this.write(exchange, chunk);
        return this.end(exchange);
    }
  }

  async sendResponse(exchange: Exchange, response: Response): Promise<void> {
    const { res } = exchange;
    res.statusCode = response.status;
    for (const [name, value] of response.headers) {
      if (name !== "set-cookie") res.setHeader(name, value);
    }
    this.addCookies(res, response.headers.getSetCookie());
    const reader = response.body?.getReader();
    res.on("close", () => void reader?.cancel());
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      await this.write(exchange, part.value);
    }
    await this.end(exchange);
  }

  addCookies(res: ServerResponse, cookies: readonly string[]): void {
    for (const cookie of cookies) res.appendHeader("Set-Cookie", cookie);
  }

  /** The headers leave. */
  leave({ visit, res }: Exchange): void {
    if (!res.headersSent) visit?.seal(this.responseHead(res));
  }

  responseHead(res: ServerResponse): ResponseHead {
    return headOf(res);
  }

  async write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
    const { res } = exchange;
    // Now, because where the length is announced this may be the end.
    await this.commit(exchange);
    this.leave(exchange);
    exchange.size += this.sizeOf(exchange, chunk);
    if (!res.write(chunk) && !res.destroyed) await once(res, "drain");
  }

  async end(exchange: Exchange, chunk = ""): Promise<void> {
    const { res } = exchange;
    // What was changed after the headers had left.
    await this.commit(exchange);
    this.leave(exchange);
    exchange.size += this.sizeOf(exchange, chunk);
    res.end(chunk);
  }

  sizeOf({ req, res }: Exchange, chunk: string | Uint8Array): number {
    const hasBody = req.method !== "HEAD" && res.statusCode !== 204 && res.statusCode !== 304;
    return hasBody ? Buffer.byteLength(chunk) : 0;
  }

  /** The response is complete, or the client has left. */
  closed(exchange: Exchange): void {
    const { visit } = exchange;
    // What cannot be stored raises `lost-write`, and nobody waits for an answer any more.
    if (visit?.isDirty)
      visit.commit().then(
        () => this.finish(exchange),
        () => this.finish(exchange),
      );
    else this.finish(exchange);
  }

  finish({ visit, res, size }: Exchange): void {
    visit?.finish({ status: res.headersSent ? res.statusCode : 499, responseSize: size });
  }

  /** The host's error handling. */
  answerTo(app: AdapterApp, error: unknown): HostAnswer {
    if (app.onError !== undefined) return app.onError(error);
    return isSessionError(error) ? error.getResponse() : plain(500, "Internal error");
  }
}

function plain(status: number, text: string): Reply {
  return { status, headers: {}, cookies: [], body: { kind: "text", text } };
}
