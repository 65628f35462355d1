import type { IncomingMessage } from "node:http";
import type { ConnectionInfo, RequestHead } from "@kyb/session-core";
import { ReferenceAdapter } from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

/** An adapter that does not pass some headers on. */
function without(...names: readonly string[]): new () => ReferenceAdapter {
  return class extends ReferenceAdapter {
    override header(req: IncomingMessage, name: string): string | null {
      return names.includes(name) ? null : super.header(req, name);
    }
  };
}

/** An adapter that passes on another `Cookie` header than it got. */
class InsteadOfCookie extends ReferenceAdapter {
  cookie(header: string, _req: IncomingMessage): string | null {
    return header;
  }

  override header(req: IncomingMessage, name: string): string | null {
    const header = super.header(req, name);
    return name === "cookie" ? this.cookie(header ?? "", req) : header;
  }
}

/** What adapters get wrong when they tell the core of a request. */
export const brokenHeads: readonly BrokenAdapter[] = [
  twin(
    "says of every connection that it is encrypted",
    class extends ReferenceAdapter {
      override connection(req: IncomingMessage): ConnectionInfo {
        return { ...super.connection(req), encrypted: true };
      }
    },
    "the cookie is found among many others, whatever they hold (R-17)",
    "a request from another site that brings its cookie has its session (R-16)",
    "requests that share a connection do not share a session",
  ),
  twin(
    "believes X-Forwarded-Proto by itself",
    class extends ReferenceAdapter {
      override connection(req: IncomingMessage): ConnectionInfo {
        const encrypted = req.headers["x-forwarded-proto"] === "https";
        return { ...super.connection(req), encrypted };
      }
    },
    "an X-Forwarded-Proto that nobody vouches for changes nothing and is warned of once (R-13, R-47)",
  ),
  twin(
    "believes X-Forwarded-For by itself",
    class extends ReferenceAdapter {
      override connection(req: IncomingMessage): ConnectionInfo {
        const remoteAddress = req.headers["x-forwarded-for"]?.toString() ?? "127.0.0.1";
        return { ...super.connection(req), remoteAddress };
      }
    },
    "the address is the peer's, whatever a client writes into X-Forwarded-For (R-47)",
    "behind a trusted proxy the address is the nearest one that is not trusted (R-47, R-48)",
  ),
  twin(
    "does not tell who the peer is",
    class extends ReferenceAdapter {
      override connection(): ConnectionInfo {
        return {};
      }
    },
    "the address is the peer's, whatever a client writes into X-Forwarded-For (R-47)",
  ),
  twin(
    "hides what proxies write",
    without("x-forwarded-for", "x-forwarded-proto"),
    "over https, as a trusted proxy says, the cookie is __Host-kyb_session_id and Secure (R-11)",
    "an X-Forwarded-Proto that nobody vouches for changes nothing and is warned of once (R-13, R-47)",
    "over https the bare name is not read, over http the prefixed one is not (R-13)",
    "behind a trusted proxy the address is the nearest one that is not trusted (R-47, R-48)",
  ),
  twin(
    "hides the user agent",
    without("user-agent"),
    "the user agent is kept, cut at 512 characters",
  ),
  twin(
    "hides where a request comes from",
    without("sec-fetch-site", "sec-fetch-dest"),
    "a request from another site without a cookie creates nothing and sets nothing, also where it stores something (R-16)",
    "a request for an image without a cookie gets no session of its own (R-16)",
  ),
  twin(
    "hides the Authorization header",
    without("authorization"),
    "a bearer token works where it is switched on and sets no cookie, and no cookie's token works as a bearer (R-07)",
    "two tokens in one request are refused with 400 before any handler runs (R-07)",
  ),
  twin(
    "hides that a request is passive",
    without("x-session-passive"),
    "a passive request has its line and keeps nobody alive",
  ),
  twin(
    "hides the size of the request body",
    without("content-length"),
    "a request leaves one line with action, path, method, status, sizes and duration",
  ),
  twin(
    "passes on the last line of a header that comes twice",
    class extends ReferenceAdapter {
      override header(req: IncomingMessage, name: string): string | null {
        return req.headersDistinct[name]?.at(-1) ?? null;
      }
    },
    "two session cookies are served without a session, and nothing is created or set; in one line or in two (R-18)",
  ),
  twin(
    "passes on one cookie of each name",
    class extends InsteadOfCookie {
      override cookie(header: string): string {
        const pairs = header.split("; ").map((pair) => [pair.split("=", 1)[0], pair] as const);
        return [...new Map(pairs).values()].join("; ");
      }
    },
    "two session cookies are served without a session, and nothing is created or set; in one line or in two (R-18)",
  ),
  twin(
    "passes on the first cookie",
    class extends InsteadOfCookie {
      override cookie(header: string): string {
        return header.split("; ", 1)[0] ?? "";
      }
    },
    "the cookie is found among many others, whatever they hold (R-17)",
  ),
  twin(
    "decodes cookies and takes quotes off",
    class extends InsteadOfCookie {
      override cookie(header: string): string {
        return header.replaceAll("%2E", ".").replaceAll('"', "");
      }
    },
    "whatever is no token of ours makes its sender a newcomer with an id of our making, and costs no look into the store (R-04, R-05)",
  ),
  twin(
    "pads a token that is too short and cuts one that is too long",
    class extends InsteadOfCookie {
      override cookie(header: string): string {
        return header.replace(
          /(kyb_session_id=)([^;]*)/,
          (_, name: string, token: string) => name + token.slice(0, 76).padEnd(76, "A"),
        );
      }
    },
    "whatever is no token of ours makes its sender a newcomer with an id of our making, and costs no look into the store (R-04, R-05)",
  ),
  twin(
    "takes a token from the URL",
    class extends InsteadOfCookie {
      override cookie(header: string, req: IncomingMessage): string {
        const [, query = ""] = req.url?.split("?") ?? [];
        return header === "" ? query : header;
      }
    },
    "a token in the URL or in the body is not looked at (R-06)",
  ),
  twin(
    "takes a bearer token for a cookie",
    class extends InsteadOfCookie {
      override cookie(header: string, req: IncomingMessage): string {
        const { authorization } = req.headers;
        return authorization?.replace("Bearer ", "kyb_session_id=") ?? header;
      }
    },
    "a bearer token works where it is switched on and sets no cookie, and no cookie's token works as a bearer (R-07)",
  ),
  twin(
    "takes the id alone for a token, and any secret",
    class extends InsteadOfCookie {
      readonly #known = new Map<string, string>();

      override cookie(header: string): string {
        return header.replace(/kyb_session_id=([^;]*)/, (pair: string, token: string) => {
          const id = token.slice(0, 32);
          const known = this.#known.get(id) ?? pair;
          if (token.length === 76) this.#known.set(id, known);
          return known;
        });
      }
    },
    "a well-formed token that nobody has is never adopted: its sender gets another id (R-05)",
  ),
  twin(
    "drops the cookie of a request from another site",
    class extends InsteadOfCookie {
      override cookie(header: string, req: IncomingMessage): string | null {
        return req.headers["sec-fetch-site"] === "cross-site" ? null : header;
      }
    },
    "a request from another site that brings its cookie has its session (R-16)",
  ),
  twin(
    "reads the prefixed cookie under its bare name",
    class extends InsteadOfCookie {
      override cookie(header: string): string {
        return header.replace("__Host-", "");
      }
    },
    "over https the bare name is not read, over http the prefixed one is not (R-13)",
  ),
  twin(
    "tells the manager neither path nor method",
    class extends ReferenceAdapter {
      override head(req: IncomingMessage): RequestHead {
        return { ...super.head(req), url: "/", method: "GET" };
      }
    },
    "the path is kept without its query string (R-45)",
    "behind a mount point the path that is kept is the whole one",
    "a path that nobody answers leaves a line with 404",
    "a newcomer's first request stands in the timeline of the session that it made",
  ),
  twin(
    "takes the cookie of a connection's first request for all of them",
    class extends InsteadOfCookie {
      readonly #first = new WeakMap<object, string>();

      override cookie(header: string, req: IncomingMessage): string {
        const first = this.#first.get(req.socket) ?? header;
        this.#first.set(req.socket, first);
        return first;
      }
    },
    "requests that share a connection do not share a session",
    "many clients at once, on connections that are kept alive, each read what is their own",
  ),
];
