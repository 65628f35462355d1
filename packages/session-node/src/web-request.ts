import type { IncomingMessage } from "node:http";

/** What a host knows better than the message itself. */
export interface RequestFacts {
  /** Path and query as the client sent them. */
  readonly url: string;
  readonly encrypted: boolean;
  /** What a body parser has made of the body; undefined where none has read it. */
  readonly body: unknown;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

/** A host with or without a port; RFC 9110 §7.2. */
const HOST = /^(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,253})(?::\d{1,5})?$/i;

/** Can be no host; RFC 6761 §6.4. */
const NO_HOST = "unknown.invalid";

/** What `URL` would rewrite: a backslash, or a segment `.` or `..`, encoded or not. */
const AMBIGUOUS = /^[^?#]*(?:\\|\/(?:\.|%2e){1,2}(?:[/?#]|$))/i;

/** Methods that a `Request` cannot have; Fetch §4.6. */
const FORBIDDEN: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Headers that describe bytes on the wire which a parser has taken away. */
const ABOUT_THE_WIRE: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-length",
  "transfer-encoding",
]);

/**
 * The message as a `Request`. Its body is read from the message when somebody reads it, and not before: a request that is
 * passed on keeps its body.
 *
 * Undefined for what no `Request` can say, or what it would say otherwise: a router in front has seen the path
 * as it came, and a handler behind must not see another one.
 */
export function webRequest(req: IncomingMessage, facts: RequestFacts): Request | undefined {
  const method = req.method ?? "GET";
  const path = originForm(facts.url);
  if (FORBIDDEN.has(method) || AMBIGUOUS.test(path)) return undefined;
  const host = req.headers.host ?? "";
  const url = `${facts.encrypted ? "https" : "http"}://${HOST.test(host) ? host : NO_HOST}${path}`;
  if (!URL.canParse(url)) return undefined;
  const hasBody = method !== "GET" && method !== "HEAD";
  const isRead = hasBody && req.readableEnded;
  const init: RequestInit & { duplex: "half" } = {
    method,
    headers: headersOf(req, isRead),
    body: hasBody ? (isRead ? bodyAgain(facts.body) : unreadBody(req)) : null,
    duplex: "half",
    signal: facts.signal,
  };
  return new Request(url, init);
}

/** Proxies are sent the whole URL, and `OPTIONS` may be about `*`; RFC 9112 §3.2. */
function originForm(url: string): string {
  if (url.startsWith("/")) return url;
  const authority = url.indexOf("://");
  const path = authority === -1 ? -1 : url.indexOf("/", authority + 3);
  return path === -1 ? "/" : url.slice(path);
}

function headersOf(req: IncomingMessage, isRead: boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || (isRead && ABOUT_THE_WIRE.has(name))) continue;
    headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

/** What a parser has left: text and bytes as they are, and everything else as the JSON that it was. */
function bodyAgain(body: unknown): string | Uint8Array<ArrayBuffer> | null {
  if (body === undefined) return null;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  return JSON.stringify(body);
}

function unreadBody(req: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // To end early must not destroy the message: the answer goes through the same connection.
        chunks ??= req.iterator({ destroyOnReturn: false });
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks?.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
