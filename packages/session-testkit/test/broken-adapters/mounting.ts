import type { AdapterApp } from "../../src/index.ts";
import { type Exchange, ReferenceAdapter, type Step } from "../reference-adapter.ts";
import { InsteadOfRequest, InsteadOfResponse } from "./instead.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

type Mounted = Parameters<ReferenceAdapter["mounted"]>[1];

/** What adapters get wrong when they serve fetch handlers. */
export const brokenMountings: readonly BrokenAdapter[] = [
  twin(
    "folds the Set-Cookie lines of a Response",
    class extends ReferenceAdapter {
      override async sendResponse(exchange: Exchange, response: Response): Promise<void> {
        const folded = response.headers.get("set-cookie");
        if (folded !== null) response.headers.set("set-cookie", folded);
        await super.sendResponse(exchange, response);
      }
    },
    "several Set-Cookie lines of a fetch handler arrive as several, in order (behind session(); R-15)",
    "several Set-Cookie lines of a fetch handler arrive as several, in order (without session(); R-15)",
  ),
  twin(
    "reads the whole body of a Response before it sends the first byte",
    class extends InsteadOfResponse {
      override async other(response: Response): Promise<Response> {
        const isEmpty = response.body === null;
        return new Response(isEmpty ? null : await response.arrayBuffer(), response);
      }
    },
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (behind session())",
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (without session())",
  ),
  twin(
    "reads on when the client has left",
    class extends InsteadOfResponse {
      override async other(response: Response): Promise<Response> {
        if (response.body === null) return response;
        const reader = response.body.getReader();
        const body = new ReadableStream<Uint8Array>({
          async pull(controller) {
            const { done, value } = await reader.read();
            if (done) controller.close();
            else controller.enqueue(value);
          },
        });
        return new Response(body, response);
      }
    },
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (behind session())",
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (without session())",
  ),
  twin(
    "passes the status and the body of a Response on, and not its headers",
    class extends InsteadOfResponse {
      override async other({ status, body }: Response): Promise<Response> {
        return new Response(body, { status });
      }
    },
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (behind session())",
    "events of a fetch handler arrive while it goes on, and it hears when the client leaves (without session())",
    "a response whose headers cannot be changed, such as a redirect, carries the visitor's cookie all the same",
    "HEAD, unknown routes and wrong methods are answered by the API, never stored and never guessed (R-55, R-64)",
  ),
  twin(
    "writes its own headers into the Response that it was given",
    class extends InsteadOfResponse {
      override async other(response: Response): Promise<Response> {
        response.headers.set("X-Served-By", "reference");
        return response;
      }
    },
    "a response whose headers cannot be changed, such as a redirect, carries the visitor's cookie all the same",
  ),
  twin(
    "gives fetch handlers no body",
    class extends InsteadOfRequest {
      override other({ url, method, headers }: Request): Request {
        return new Request(url, { method, headers });
      }
    },
    "a session that is made for a user is the user's, and not the administrator's (behind session(); R-08)",
    "a session that is made for a user is the user's, and not the administrator's (before session(); R-08)",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind session())",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (before session())",
    "it answers at a prefix of its own, with and without session() before it",
    "it answers at a mount point that ends with its base path, with and without session() before it",
    "it answers at its whole path, with and without session() before it",
  ),
  twin(
    "gives fetch handlers no body that a parser has read",
    class extends ReferenceAdapter {
      override layer(app: AdapterApp, layer: AdapterApp["layers"][number], at: string): Step {
        const run = super.layer(app, layer, at);
        if (layer.kind !== "body-parser") return run;
        return async (exchange) => {
          await run(exchange);
          exchange.body = "";
          return undefined;
        };
      }
    },
    "a fetch handler gets the request as it was: method, whole URL, headers and body, also behind a body parser",
    "a session that is made for a user is the user's, and not the administrator's (behind session() and a body parser; R-08)",
    "a session that is made for a user is the user's, and not the administrator's (behind a body parser, before session(); R-08)",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind session() and a body parser)",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind a body parser, before session())",
  ),
  twin(
    "gives fetch handlers the URL below the mount point",
    class extends InsteadOfRequest {
      override other(request: Request, _exchange: Exchange, mountPath: string): Request {
        return new Request(request.url.replace(mountPath, ""), request);
      }
    },
    "below a mount point a fetch handler still sees the whole URL",
  ),
  twin(
    "gives fetch handlers no headers",
    class extends InsteadOfRequest {
      override other(request: Request): Request {
        for (const name of [...request.headers.keys()]) {
          if (name !== "cookie" && name !== "content-type") request.headers.delete(name);
        }
        return request;
      }
    },
    "a fetch handler gets the request as it was: method, whole URL, headers and body, also behind a body parser",
    "a change that another site asks for is refused (behind session(); R-53)",
    "a change that another site asks for is refused (before session(); R-53)",
    "a change that another site asks for is refused (behind session() and a body parser; R-53)",
    "a change that another site asks for is refused (behind a body parser, before session(); R-53)",
  ),
  twin(
    "gives fetch handlers no Content-Type",
    class extends InsteadOfRequest {
      override other(request: Request): Request {
        request.headers.delete("content-type");
        return request;
      }
    },
    "a session that is made for a user is the user's, and not the administrator's (behind session(); R-08)",
    "a session that is made for a user is the user's, and not the administrator's (before session(); R-08)",
    "a session that is made for a user is the user's, and not the administrator's (behind session() and a body parser; R-08)",
    "a session that is made for a user is the user's, and not the administrator's (behind a body parser, before session(); R-08)",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind session())",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (before session())",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind session() and a body parser)",
    "a newcomer who asks for a session gets one with its cookie, and the data that a client may set (behind a body parser, before session())",
    "bodies of another type, broken ones and those that are too long are refused, and the connection goes on (R-56)",
  ),
  twin(
    "asks fetch handlers for GET where the client asks for something else without a body",
    class extends InsteadOfRequest {
      override other(request: Request): Request {
        if (request.method !== "HEAD" && request.method !== "DELETE") return request;
        return new Request(request.url, { headers: request.headers });
      }
    },
    "who ends the own session is signed out, and the cookie goes (behind session())",
    "who ends the own session is signed out, and the cookie goes (before session())",
    "who ends the own session is signed out, and the cookie goes (behind session() and a body parser)",
    "who ends the own session is signed out, and the cookie goes (behind a body parser, before session())",
    "a change that another site asks for is refused (behind session(); R-53)",
    "a change that another site asks for is refused (before session(); R-53)",
    "a change that another site asks for is refused (behind session() and a body parser; R-53)",
    "a change that another site asks for is refused (behind a body parser, before session(); R-53)",
  ),
  twin(
    "answers 404 for what a fetch handler does not answer",
    class extends ReferenceAdapter {
      override async mounted(exchange: Exchange, handler: Mounted, at: string): Promise<Response> {
        const response = await super.mounted(exchange, handler, at);
        return response ?? new Response("Not found", { status: 404 });
      }
    },
    "what a fetch handler does not answer is passed on",
  ),
  twin(
    "answers what a fetch handler throws by itself",
    class extends ReferenceAdapter {
      override async mounted(
        exchange: Exchange,
        handler: Mounted,
        at: string,
      ): Promise<Response | undefined> {
        try {
          return await super.mounted(exchange, handler, at);
        } catch {
          return new Response("Internal error", { status: 500 });
        }
      }
    },
    "what a fetch handler throws goes to the application's error handling",
  ),
];
