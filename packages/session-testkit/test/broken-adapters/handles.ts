import { isSessionError, type Session, type Visit } from "@kyb/session-core";
import type { TestData } from "../../src/index.ts";
import { type Exchange, ReferenceAdapter } from "../reference-adapter.ts";
import { type BrokenAdapter, instead, twin } from "./twin.ts";

type Handle = Session<TestData>;

/** An adapter that gives handlers something else than the visit's session. */
class InsteadOfSession extends ReferenceAdapter {
  methods(_session: Handle, _exchange: Exchange): Partial<Handle> {
    return {};
  }

  override session(exchange: Exchange, { session }: Visit<TestData>): Handle {
    return instead(session, this.methods(session, exchange));
  }
}

/** Writes whatever the handler set into the session as it is now, whoever's it is. */
class WritesAfterwards extends ReferenceAdapter {
  readonly #set = new WeakMap<object, Partial<TestData>>();

  override session(exchange: Exchange, { session }: Visit<TestData>): Handle {
    const data: Partial<TestData> = {};
    this.#set.set(exchange, data);
    return instead(session, {
      set: (key, value) => {
        session.set(key, value);
        data[key] = value;
      },
    });
  }

  override async commit(exchange: Exchange): Promise<void> {
    await super.commit(exchange);
    const { id } = exchange.visit?.session ?? { id: "" };
    const data = this.#set.get(exchange) ?? {};
    if (id !== "" && Object.keys(data).length > 0) await exchange.app.manager.patch(id, data);
  }
}

/** What adapters get wrong that put something of their own before the session. */
export const brokenHandles: readonly BrokenAdapter[] = [
  twin(
    "stores each change by itself",
    class extends InsteadOfSession {
      readonly #saves = new WeakMap<Exchange, Promise<void>>();

      override methods(session: Handle, exchange: Exchange): Partial<Handle> {
        return {
          set: (key, value) => {
            const before = this.#saves.get(exchange) ?? Promise.resolve();
            const save = before.then(() => {
              session.set(key, value);
              return session.save();
            });
            this.#saves.set(exchange, save);
          },
        };
      }

      override async commit(exchange: Exchange): Promise<void> {
        await this.#saves.get(exchange);
      }
    },
    "several changes of one request are one write, or the handler asked for more",
  ),
  twin(
    "puts off what the handler wants to be stored now",
    class extends InsteadOfSession {
      override methods(): Partial<Handle> {
        return { save: async () => undefined };
      }
    },
    "what save has stored is there for others while the handler goes on",
  ),
  twin(
    "writes a line of its own into the session at every request",
    class extends ReferenceAdapter {
      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        exchange.visit?.session.set("seen", exchange.app.manager.config.clock.now());
      }
    },
    "a request that changes nothing writes no state (R-28)",
  ),
  twin(
    "computes with the data that the request has found",
    class extends InsteadOfSession {
      override methods(session: Handle): Partial<Handle> {
        const found = session.metadata;
        return {
          increment: ((key: string) => {
            session.set(key, Number(found[key] ?? 0) + 1);
          }) as Handle["increment"],
          update: (async (key: string, fn: (value: unknown) => number[]) => {
            session.set(key, fn(found[key]));
          }) as unknown as Handle["update"],
        };
      }
    },
    "64 increments at once add up (store in memory; F-03)",
    "64 updates of one cart at once all survive (store in memory; F-02)",
    "64 increments at once add up (asynchronous store; F-03)",
    "64 updates of one cart at once all survive (asynchronous store; F-02)",
  ),
  twin(
    "starts a new session for a user whose session has ended while the handler ran",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        await super.commit(exchange);
        const { visit, app, res } = exchange;
        if (visit === undefined || visit.session.id === "" || res.hasHeader("Set-Cookie")) return;
        const { isActive, endedAt } = visit.session;
        // What this request has ended itself has the time of its end.
        if (isActive || endedAt !== undefined) return;
        const { token } = await app.manager.create({ userId: "ann" });
        res.setHeader("Set-Cookie", `kyb_session_id=${token}; Path=/`);
      }
    },
    "logout during a slow request that stores something stays logged out, 200 times (store in memory; F-01)",
    "logout during a slow request that stores something stays logged out, 200 times (asynchronous store; F-01)",
    "logout while another request's change is on its way to the store: the session stays ended (F-01)",
    "a request under way during sign-in gets no cookie and writes nothing into the session as it is then (F-04)",
    "a request under way during regenerate gets no cookie and writes nothing into the session as it is then (F-04)",
    "of two sign-ins at once from one browser only one gets the session, and the loser hears of it",
  ),
  twin(
    "writes into the session as it is then, whoever has signed in meanwhile",
    WritesAfterwards,
    "a request under way during sign-in gets no cookie and writes nothing into the session as it is then (F-04)",
    "a request under way during regenerate gets no cookie and writes nothing into the session as it is then (F-04)",
  ),
  twin(
    "signs in again, into a session of its own, where another sign-in was faster",
    class extends InsteadOfSession {
      override methods(session: Handle): Partial<Handle> {
        return {
          signIn: async (userId, options) => {
            try {
              await session.signIn(userId, options);
            } catch (error) {
              if (!isSessionError(error) || error.code !== "SESSION_SUPERSEDED") throw error;
              await session.signIn(userId, options);
            }
          },
        };
      }
    },
    "of two sign-ins at once from one browser only one gets the session, and the loser hears of it",
  ),
  twin(
    "does not sign out once the headers have left",
    class extends InsteadOfSession {
      override methods(session: Handle, { res }: Exchange): Partial<Handle> {
        return {
          signOut: async () => {
            return res.headersSent ? { ended: 0, durable: false } : session.signOut();
          },
        };
      }
    },
    "signOut after the headers have left ends the session all the same",
  ),
  twin(
    "keeps the timeline of another visit than the handler's",
    class extends InsteadOfSession {
      override methods(): Partial<Handle> {
        return { track: () => undefined, annotate: () => undefined };
      }
    },
    "what a handler tracks and annotates is there",
  ),
];
