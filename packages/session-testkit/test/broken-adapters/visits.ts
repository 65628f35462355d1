import { setImmediate as turn } from "node:timers/promises";
import { type Session, SessionError, type Visit } from "@kyb/session-core";
import type { TestData } from "../../src/index.ts";
import { type Exchange, ReferenceAdapter } from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

type TestVisit = Visit<TestData>;

/** A request of which nothing is known, as far as the manager is told. */
const NOBODY = { method: "GET", url: "/", headers: { get: () => null } };

/** What adapters get wrong when they open visits. */
export const brokenVisits: readonly BrokenAdapter[] = [
  twin(
    "gives a new session to whoever's session cannot be read",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        try {
          await super.open(exchange);
        } catch {
          exchange.visit = await exchange.app.manager.visit(NOBODY);
        }
      }
    },
    "two tokens in one request are refused with 400 before any handler runs (R-07)",
    "a store that throws at open: 503 and no handler, never an empty session, never a cookie (R-77)",
    "a store that hangs at open: 503 and no handler, never an empty session, never a cookie (R-77)",
    "a store that answers STORE_MISCONFIGURED is as good as down: 503 and no handler, or a handler that is told, and never a cookie (R-72, R-77)",
    "a store that answers RECORD_UNREADABLE is as good as down: 503 and no handler, or a handler that is told, and never a cookie (R-72, R-77)",
    "without error handling of the application's own an outage is answered 503 with Retry-After, at open and at commit",
  ),
  twin(
    "gives a new session to whoever has none",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        if (exchange.visit?.session.id === "") {
          exchange.visit = await exchange.app.manager.visit(NOBODY);
        }
      }
    },
    "a request for an image without a cookie gets no session of its own (R-16)",
    "a secret that sign-in has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a secret that regenerate has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a secret that sign-out has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a session that was ended elsewhere is over with the next request, whose cookie is left alone (R-26, R-30)",
    "logout during a slow request that stores something stays logged out, 200 times (store in memory; F-01)",
    "logout during a slow request that stores something stays logged out, 200 times (asynchronous store; F-01)",
  ),
  twin(
    "refuses whoever has no session",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        if (exchange.visit?.session.state === "ok") return;
        throw new SessionError("STORE_UNAVAILABLE", "There is no session.");
      }
    },
    "a request from another site without a cookie creates nothing and sets nothing, also where it stores something (R-16)",
    "a request from another site without a cookie that signs in sets one (R-16)",
    "a request that the option skip names gets no session and leaves no trace",
    "a secret that sign-in has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a secret that regenerate has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a secret that sign-out has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)",
    "a session that was ended elsewhere is over with the next request, whose cookie is left alone (R-26, R-30)",
  ),
  twin(
    "makes a session for everybody",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        await exchange.visit?.ensure();
      }
    },
    "with create: 'write' a visitor gets a cookie with the first thing that is stored, and not before",
    "a newcomer behind session() who asks for the own session has one, and who asks for anything else has none",
  ),
  twin(
    "does not wait for a store that answers later",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        const late = turn().then(() => {
          throw new SessionError("STORE_UNAVAILABLE", "The store is slow.");
        });
        await Promise.race([super.open(exchange), late]);
      }
    },
    "after a redirect the next request always sees the new value (asynchronous store)",
    "64 updates of one cart at once all survive (asynchronous store; F-02)",
  ),
  twin(
    "opens two visits for one request",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        const { app, req } = exchange;
        await app.manager.visit(this.head(req), this.connection(req));
      }
    },
    "a request that changes nothing writes no state (R-28)",
    "behind session() it uses that visit: one look into the store",
  ),
  twin(
    "opens a visit each time that session() stands in the way",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        const before = exchange.visit;
        exchange.visit = undefined;
        await super.open(exchange);
        before?.finish({ status: 200, responseSize: 0 });
      }
    },
    "session() twice is session() once: one visit, one cookie, one line",
  ),
  twin(
    "shares one visit between requests with the same cookie",
    class extends ReferenceAdapter {
      readonly #visits = new Map<string, TestVisit>();

      override async open(exchange: Exchange): Promise<undefined> {
        const { cookie = "" } = exchange.req.headers;
        exchange.visit = this.#visits.get(cookie);
        await super.open(exchange);
        if (exchange.visit !== undefined && cookie !== "") this.#visits.set(cookie, exchange.visit);
      }
    },
    "logout during a slow request that stores something stays logged out, 200 times (store in memory; F-01)",
    "logout during a slow request that stores something stays logged out, 200 times (asynchronous store; F-01)",
  ),
  twin(
    "gives a handler the session of the request that came last",
    class extends ReferenceAdapter {
      #last: TestVisit | undefined;

      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        this.#last = exchange.visit;
        await turn();
      }

      override session(_exchange: Exchange, visit: TestVisit): Session<TestData> {
        return (this.#last ?? visit).session;
      }
    },
    "many clients at once, on connections that are kept alive, each read what is their own",
  ),
  twin(
    "opens no visit where there is no route",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        if (exchange.app.routes.has(exchange.path)) await super.open(exchange);
      }
    },
    "a path that nobody answers is the host's 404, with the visitor's cookie",
    "a path that nobody answers leaves a line with 404",
    "a response whose headers cannot be changed, such as a redirect, carries the visitor's cookie all the same",
  ),
];
