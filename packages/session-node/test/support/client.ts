import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";

export interface Ask {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Uint8Array;
  agent?: Agent;
}

/** What came back, as it was on the wire. */
export interface Reply {
  readonly status: number;
  readonly message: string;
  readonly headers: IncomingMessage["headers"];
  /** Each `Set-Cookie` line, in order. */
  readonly cookies: readonly string[];
  readonly body: string;
  readonly size: number;
  /** False where the connection broke before the end. */
  readonly isComplete: boolean;
}

/** A request on its way. */
export interface Sent {
  readonly request: ClientRequest;
  /** The head of the answer. */
  readonly head: Promise<IncomingMessage>;
  /** The whole answer, also one that broke off; rejects where not even the head came. */
  readonly reply: Promise<Reply>;
  /** Resolves when this text has come. */
  received(text: string): Promise<void>;
}

/** Sends a request on a connection of its own, unless an agent is given. */
export function send(url: string, ask: Ask = {}): Sent {
  const { method = "GET", headers = {}, body, agent } = ask;
  // Not as a URL, which would tidy up the path.
  const [, hostname, port, path] = /^http:\/\/([^:/]+):(\d+)(.*)$/.exec(url) ?? [];
  const message = request({
    hostname,
    port,
    path,
    method,
    headers,
    agent: agent ?? new Agent({ keepAlive: false }),
  });
  const head = Promise.withResolvers<IncomingMessage>();
  const reply = Promise.withResolvers<Reply>();
  const chunks: Uint8Array[] = [];
  let listeners: (() => void)[] = [];
  const text = (): string => Buffer.concat(chunks).toString();
  message.on("error", (error) => {
    head.reject(error);
    reply.reject(error);
  });
  message.on("response", (response) => {
    head.resolve(response);
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      for (const listener of listeners) listener();
    });
    // A broken answer ends with an error and then closes.
    response.on("error", () => undefined);
    response.on("close", () => {
      reply.resolve({
        status: response.statusCode ?? 0,
        message: response.statusMessage ?? "",
        headers: response.headers,
        cookies: response.headers["set-cookie"] ?? [],
        body: text(),
        size: Buffer.concat(chunks).byteLength,
        isComplete: response.complete,
      });
    });
  });
  // Whoever waits for one of the two hears of it.
  head.promise.catch(() => undefined);
  reply.promise.catch(() => undefined);
  message.end(body);
  return {
    request: message,
    head: head.promise,
    reply: reply.promise,
    received: (expected) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!text().includes(expected)) return;
          listeners = listeners.filter((each) => each !== look);
          resolve();
        };
        listeners.push(look);
        look();
      }),
  };
}

export function ask(url: string, options: Ask = {}): Promise<Reply> {
  return send(url, options).reply;
}

/** The `Cookie` header that brings the session back. */
export function cookieOf(reply: Pick<Reply, "cookies">): { cookie: string } {
  const line = reply.cookies.find((each) => each.startsWith("kyb_session_id="));
  if (line === undefined) throw new Error("The answer sets no session cookie.");
  return { cookie: line.split(";", 1)[0] ?? "" };
}

/** Whether a promise is still waiting after everything that was at hand has happened. */
export async function isWaiting(
  promise: Promise<unknown>,
  roundTrip: () => Promise<unknown>,
): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  // The same server answers another request meanwhile.
  await roundTrip();
  return !isSettled;
}
