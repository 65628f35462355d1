import type { ApiContext } from "@kyb/session-core/api";
import { type Exchange, ReferenceAdapter } from "../reference-adapter.ts";
import { InsteadOfRequest, InsteadOfResponse } from "./instead.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

type Mounted = Parameters<ReferenceAdapter["mounted"]>[1];

/** What adapters get wrong when they serve the management API. */
export const brokenApis: readonly BrokenAdapter[] = [
  twin(
    "does not tell the API of the visit that session() has opened",
    class extends ReferenceAdapter {
      override context(_exchange: Exchange, mountPath: string): ApiContext {
        return { mountPath };
      }
    },
    "requests to the API stand in no timeline and no count (behind session())",
    "requests to the API stand in no timeline and no count (behind session() and a body parser)",
    "a newcomer behind session() who asks for the own session has one, and who asks for anything else has none",
    "behind session() it uses that visit: one look into the store",
  ),
  twin(
    "asks the API in nobody's name",
    class extends InsteadOfRequest {
      override other(request: Request): Request {
        request.headers.delete("cookie");
        return request;
      }

      override context(_exchange: Exchange, mountPath: string): ApiContext {
        return { mountPath };
      }
    },
    "a visitor is shown the own session (behind session())",
    "a visitor is shown the own session (before session())",
    "a visitor is shown the own session (behind session() and a body parser)",
    "a visitor is shown the own session (behind a body parser, before session())",
    "at a base path of its own it answers there and nowhere else",
    "an encoded path is the same path as everywhere else, and an encoded slash is no slash (R-66)",
    "HEAD, unknown routes and wrong methods are answered by the API, never stored and never guessed (R-55, R-64)",
  ),
  twin(
    "opens a visit for the API where there is no session()",
    class extends ReferenceAdapter {
      override async mounted(
        exchange: Exchange,
        handler: Mounted,
        at: string,
      ): Promise<Response | undefined> {
        if (exchange.path.includes("/sessions")) await this.open(exchange);
        return super.mounted(exchange, handler, at);
      }
    },
    "without session() a newcomer who asks for the own session is told that there is none, and gets none",
  ),
  twin(
    "does not tell the API where it is mounted",
    class extends ReferenceAdapter {
      override context(exchange: Exchange): ApiContext {
        return super.context(exchange, "");
      }
    },
    "it answers at a prefix of its own, with and without session() before it",
    "it answers at a mount point that ends with its base path, with and without session() before it",
  ),
  twin(
    "asks the API for what begins with its default path, letter by letter, and for nothing else",
    class extends ReferenceAdapter {
      override async mounted(
        exchange: Exchange,
        handler: Mounted,
        at: string,
      ): Promise<Response | undefined> {
        const isApi = exchange.path.startsWith("/v1/sessions");
        const isMount = exchange.path.startsWith("/mounted");
        return isApi || isMount ? super.mounted(exchange, handler, at) : undefined;
      }
    },
    "it answers at a prefix of its own, with and without session() before it",
    "it answers at a mount point that ends with its base path, with and without session() before it",
    "it answers at its whole path, with and without session() before it",
    "at a base path of its own it answers there and nowhere else",
    "an encoded path is the same path as everywhere else, and an encoded slash is no slash (R-66)",
  ),
  twin(
    "gives the API whatever path begins as its own does",
    class extends InsteadOfRequest {
      override other(request: Request): Request {
        const url = request.url.replace("sessionsx", "sessions").replace("%2F", "/");
        return new Request(url, request);
      }
    },
    "at a base path of its own it answers there and nowhere else",
    "an encoded path is the same path as everywhere else, and an encoded slash is no slash (R-66)",
  ),
  twin(
    "clears the cookie of whoever asks the API in vain",
    class extends InsteadOfResponse {
      override async other(response: Response): Promise<Response> {
        if (response.status === 503 || response.status === 404) {
          response.headers.append("Set-Cookie", "kyb_session_id=; Path=/; Max-Age=0");
        }
        return response;
      }
    },
    "without error handling of the application's own an outage is answered 503 with Retry-After, at open and at commit",
    "without session() a newcomer who asks for the own session is told that there is none, and gets none",
    "an outage is answered 503 with Retry-After, and no cookie is touched",
  ),
];
