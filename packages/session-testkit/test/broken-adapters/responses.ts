import type { ServerResponse } from "node:http";
import type { ResponseHead } from "@kyb/session-core";
import type { Reply } from "../../src/index.ts";
import { type Exchange, ReferenceAdapter } from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

/** An adapter that writes other headers than the visit asks for. */
class InsteadOfHead extends ReferenceAdapter {
  other(_head: ResponseHead, _res: ServerResponse): Partial<ResponseHead> {
    return {};
  }

  override responseHead(res: ServerResponse): ResponseHead {
    const head = super.responseHead(res);
    return { ...head, ...this.other(head, res) };
  }
}

/** An adapter that does something of its own just before the headers leave. */
class BeforeLeaving extends ReferenceAdapter {
  before(_exchange: Exchange): void {
    return;
  }

  override leave(exchange: Exchange): void {
    super.leave(exchange);
    if (!exchange.res.headersSent) this.before(exchange);
  }
}

/** What adapters get wrong with headers and errors. */
export const brokenResponses: readonly BrokenAdapter[] = [
  twin(
    "folds the Set-Cookie lines into one",
    class extends BeforeLeaving {
      override before({ res }: Exchange): void {
        const lines = res.getHeader("Set-Cookie");
        if (Array.isArray(lines)) res.setHeader("Set-Cookie", lines.join(", "));
      }
    },
    "sign-out clears the cookie with the attributes that it was set with, in every variant, each in a line of its own (R-19)",
    "other Set-Cookie lines survive, in order and unfolded, with every kind of body (R-15)",
    "other Set-Cookie lines survive where the session has none to set (R-15)",
  ),
  twin(
    "sets the session cookie in place of the application's",
    class extends InsteadOfHead {
      override other(head: ResponseHead): Partial<ResponseHead> {
        return { append: head.set };
      }
    },
    "sign-out clears the cookie with the attributes that it was set with, in every variant, each in a line of its own (R-19)",
    "other Set-Cookie lines survive, in order and unfolded, with every kind of body (R-15)",
    "several Set-Cookie lines of a fetch handler arrive as several, in order (behind session(); R-15)",
  ),
  twin(
    "adds the application's cookies in another order",
    class extends ReferenceAdapter {
      override addCookies(res: ServerResponse, cookies: readonly string[]): void {
        super.addCookies(res, cookies.toReversed());
      }
    },
    "other Set-Cookie lines survive, in order and unfolded, with every kind of body (R-15)",
    "other Set-Cookie lines survive where the session has none to set (R-15)",
    "several Set-Cookie lines of a fetch handler arrive as several, in order (without session(); R-15)",
  ),
  twin(
    "keeps one of the application's cookies of each name",
    class extends ReferenceAdapter {
      override addCookies(res: ServerResponse, cookies: readonly string[]): void {
        const byName = new Map(cookies.map((cookie) => [cookie.split("=", 1)[0], cookie]));
        super.addCookies(res, [...byName.values()].slice(0, 1));
      }
    },
    "other Set-Cookie lines survive where the session has none to set (R-15)",
  ),
  twin(
    "sends the session cookie twice",
    class extends InsteadOfHead {
      override other(head: ResponseHead): Partial<ResponseHead> {
        return {
          append: (name, value) => {
            head.append(name, value);
            head.append(name, value);
          },
        };
      }
    },
    "over http a visitor gets one cookie: the bare name, Path, HttpOnly and SameSite=Strict, and nothing else (R-11, R-13)",
    "a sign-in on the first visit sets one session cookie, that of the sign-in (R-15)",
  ),
  twin(
    "never sends the session cookie",
    class extends InsteadOfHead {
      override other(): Partial<ResponseHead> {
        return { append: () => undefined };
      }
    },
    "over http a visitor gets one cookie: the bare name, Path, HttpOnly and SameSite=Strict, and nothing else (R-11, R-13)",
    "over https, as a trusted proxy says, the cookie is __Host-kyb_session_id and Secure (R-11)",
  ),
  twin(
    "sends the session cookie with other attributes",
    class extends InsteadOfHead {
      override other(head: ResponseHead): Partial<ResponseHead> {
        return {
          append: (name, value) => {
            const kept = value.replace(/; (?:Max-Age=\d+|HttpOnly|Partitioned)/g, "");
            head.append(name, kept.replace("Strict", "Lax"));
          },
        };
      }
    },
    "over http a visitor gets one cookie: the bare name, Path, HttpOnly and SameSite=Strict, and nothing else (R-11, R-13)",
    "a persistent cookie carries Max-Age when a secret is issued and never again (R-20)",
  ),
  twin(
    "never sets a cookie that is Secure",
    class extends InsteadOfHead {
      override other(head: ResponseHead): Partial<ResponseHead> {
        return {
          append: (name, value) => {
            head.append(name, value.replace("__Host-", "").replace("; Secure", ""));
          },
        };
      }
    },
    "over https, as a trusted proxy says, the cookie is __Host-kyb_session_id and Secure (R-11)",
    "an https publicUrl makes the cookie Secure whatever the connection looks like (R-11)",
  ),
  twin(
    "sets the cookie again with every response",
    class extends BeforeLeaving {
      override before({ req, res }: Exchange): void {
        if (res.hasHeader("Set-Cookie") || req.headers.cookie === undefined) return;
        res.setHeader("Set-Cookie", `${req.headers.cookie}; Path=/; HttpOnly; SameSite=Strict`);
      }
    },
    "a cookie that has come back is not set again, whatever the request does with the data",
    "logout while another request's change is on its way to the store: the session stays ended (F-01)",
    "a visitor is shown the own session (behind session())",
    "a visitor is shown the own session (behind session() and a body parser)",
  ),
  twin(
    "sets a cookie once for each cookie that it was sent",
    class extends BeforeLeaving {
      readonly #seen = new Set<string>();

      override before({ req, res }: Exchange): void {
        const { cookie = "" } = req.headers;
        if (cookie !== "" && this.#seen.has(cookie)) res.removeHeader("Set-Cookie");
        this.#seen.add(cookie);
      }
    },
    "a persistent cookie carries Max-Age when a secret is issued and never again (R-20)",
    "sign-in changes the secret, keeps the id and drops what the anonymous visitor had stored (R-21)",
    "regeneration by time offers the next secret until it comes back, and then it is the only one that is set (R-23)",
  ),
  twin(
    "takes the cookie when the visit opens, and what becomes of it later is lost",
    class extends ReferenceAdapter {
      readonly #values = new WeakMap<Exchange, string[]>();

      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        const { visit } = exchange;
        if (visit !== undefined) this.#values.set(exchange, await visit.commit());
      }

      override leave(exchange: Exchange): void {
        const { res, visit } = exchange;
        if (res.headersSent) return;
        visit?.seal({ ...this.responseHead(res), append: () => undefined });
        for (const value of this.#values.get(exchange) ?? []) res.appendHeader("Set-Cookie", value);
      }
    },
    "a sign-in on the first visit sets one session cookie, that of the sign-in (R-15)",
    "a request from another site without a cookie that signs in sets one (R-16)",
    "regenerate changes the secret and keeps id, user and data (R-21)",
    "sign-out ends the session, clears the cookie and starts none in the same response",
    "a sign-in before the error is not lost: the error's answer carries the new cookie",
  ),
  twin(
    "writes the cookie by hand and does not say that the headers leave",
    class extends ReferenceAdapter {
      readonly #values = new WeakMap<Exchange, string[]>();

      override async commit(exchange: Exchange): Promise<void> {
        const values = await exchange.visit?.commit();
        if (values !== undefined) this.#values.set(exchange, values);
      }

      override leave(exchange: Exchange): void {
        if (exchange.res.headersSent) return;
        for (const value of this.#values.get(exchange) ?? []) {
          exchange.res.appendHeader("Set-Cookie", value);
        }
      }
    },
    "signIn after the headers have left throws HEADERS_SENT and changes nothing",
    "regenerate after the headers have left throws HEADERS_SENT and changes nothing",
  ),
  twin(
    "lets everybody store what carries a cookie",
    class extends InsteadOfHead {
      override other(head: ResponseHead): Partial<ResponseHead> {
        return {
          set: (name, value) => {
            if (name !== "Cache-Control") head.set(name, value);
          },
        };
      }
    },
    "a response that sets the session cookie is not stored by anybody, whatever its body is (R-82)",
  ),
  twin(
    "lets nobody store anything",
    class extends BeforeLeaving {
      override before({ res }: Exchange): void {
        res.setHeader("Cache-Control", "no-store");
      }
    },
    "private is as good as no-store, and stays (R-82)",
    "a response that has nothing to do with the session stays as cacheable as it was (R-82)",
  ),
  twin(
    "does not look at the headers that are set already",
    class extends InsteadOfHead {
      override other(): Partial<ResponseHead> {
        return { get: () => undefined };
      }
    },
    "private is as good as no-store, and stays (R-82)",
    "a response that the session was read for varies with the cookie, beside what it varied with before (R-82)",
  ),
  twin(
    "lets every response vary with the cookie",
    class extends BeforeLeaving {
      override before({ res }: Exchange): void {
        res.setHeader("Vary", "Cookie");
      }
    },
    "a response that the session was read for varies with the cookie, beside what it varied with before (R-82)",
    "a response that has nothing to do with the session stays as cacheable as it was (R-82)",
  ),
  twin(
    "collects a streamed body and sends it at the end",
    class extends ReferenceAdapter {
      readonly #parts = new WeakMap<Exchange, (string | Uint8Array)[]>();

      override async write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
        this.#parts.set(exchange, [...(this.#parts.get(exchange) ?? []), chunk]);
      }

      override async end(exchange: Exchange, chunk?: string): Promise<void> {
        for (const part of this.#parts.get(exchange) ?? []) await super.write(exchange, part);
        await super.end(exchange, chunk);
      }
    },
    "what a handler writes arrives while it goes on: nothing is collected until the end",
    "signIn after the headers have left throws HEADERS_SENT and changes nothing",
    "signOut after the headers have left ends the session all the same",
    "a client that leaves in the middle of a body is a line with the status and the bytes that were sent (stream)",
  ),
  twin(
    "does not send the headers that a reply has",
    class extends ReferenceAdapter {
      override async sendReply(exchange: Exchange, reply: Reply): Promise<void> {
        await super.sendReply(exchange, { ...reply, headers: {} });
      }
    },
    "private is as good as no-store, and stays (R-82)",
    "a response that the session was read for varies with the cookie, beside what it varied with before (R-82)",
  ),
];
