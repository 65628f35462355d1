import type { IncomingMessage } from "node:http";
import type { RequestHead } from "@kyb/session-core";

/** A request whose path a router may have shortened: Connect and Express keep the whole of it in `originalUrl`. */
interface Routed {
  readonly originalUrl?: unknown;
}

/** The path and query that the client asked for, whatever routers have cut off since. */
export function urlOf(req: IncomingMessage): string {
  const { originalUrl } = req as Routed;
  return typeof originalUrl === "string" ? originalUrl : (req.url ?? "/");
}

/**
 * The beginning of a request as the core reads it. A view of the message, because a `Request` and its `Headers`
 * cost more than all the rest of a visit.
 *
 * `url` is for hosts that keep the original one elsewhere than in `req.originalUrl`.
 */
export function headOf(req: IncomingMessage, url: string = urlOf(req)): RequestHead {
  return new NodeHead(req, url);
}

class NodeHead implements RequestHead {
  readonly url: string;
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage, url: string) {
    this.#req = req;
    this.url = url;
  }

  get method(): string {
    return this.#req.method ?? "GET";
  }

  /** Head and headers are one object, to save one. */
  get headers(): this {
    return this;
  }

  /** Node has joined what came twice, cookies by "; " as they are written and the rest by ", ". */
  get(name: string): string | null {
    const { headers } = this.#req;
    const value: unknown = headers[name] ?? headers[name.toLowerCase()];
    if (typeof value === "string") return value;
    // `set-cookie` is the only list; a name such as "constructor" finds what is no header at all.
    return Array.isArray(value) ? value.join(", ") : null;
  }
}
