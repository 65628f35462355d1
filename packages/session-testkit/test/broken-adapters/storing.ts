import { setImmediate as turn } from "node:timers/promises";
import type { AdapterApp } from "../../src/index.ts";
import {
  type Exchange,
  type HostAnswer,
  ReferenceAdapter,
  type Step,
} from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

/** What adapters get wrong when they store what a handler changed, or cannot store it. */
export const brokenStorings: readonly BrokenAdapter[] = [
  twin(
    "stores what was changed after the response",
    class extends ReferenceAdapter {
      override async commit(): Promise<void> {
        return;
      }
    },
    "no response is complete before the store has acknowledged what changed (text; R-79)",
    "no response is complete before the store has acknowledged what changed (json; R-79)",
    "no response is complete before the store has acknowledged what changed (redirect; R-79)",
    "no response is complete before the store has acknowledged what changed (none; R-79)",
    "no response is complete before the store has acknowledged what changed (stream; R-79)",
    "no response is complete before the store has acknowledged what changed (pipe; R-79)",
    "a store that answers late at open and at commit is waited for",
  ),
  twin(
    "stores what was changed while the response is on its way",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        super.commit(exchange).catch(() => undefined);
      }
    },
    "no response is complete before the store has acknowledged what changed (text; R-79)",
    "what a handler stores after the headers have left is stored before the response ends",
    "a store that answers late at open and at commit is waited for",
  ),
  twin(
    "stores nothing while another request of the session does",
    class extends ReferenceAdapter {
      readonly #busy = new Set<string>();

      override async commit(exchange: Exchange): Promise<void> {
        const { visit } = exchange;
        if (visit === undefined || !visit.isDirty) return;
        const { id } = visit.session;
        if (this.#busy.has(id)) return visit.discard();
        this.#busy.add(id);
        await super.commit(exchange);
        this.#busy.delete(id);
      }
    },
    "64 requests at once that write different keys lose nothing (store in memory; F-02)",
    "64 increments at once add up (store in memory; F-03)",
    "64 requests at once that write different keys lose nothing (asynchronous store; F-02)",
    "64 increments at once add up (asynchronous store; F-03)",
  ),
  twin(
    "does not store what was changed before a redirect",
    class extends ReferenceAdapter {
      override async answer(exchange: Exchange, steps: readonly Step[]): Promise<HostAnswer> {
        const answer = await super.answer(exchange, steps);
        if (answer.status === 302) exchange.visit?.discard();
        return answer;
      }
    },
    "after a redirect the next request always sees the new value (store in memory)",
    "after a redirect the next request always sees the new value (asynchronous store)",
  ),
  twin(
    "stores nothing that is changed once the headers have left",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        if (!exchange.res.headersSent) await super.commit(exchange);
      }
    },
    "what a handler stores after the headers have left is stored before the response ends",
    "a body of announced length is complete with its last byte: what was stored before it is in the store by then",
    "a store that fails after the headers have left: the response is cut off, never completed (R-79)",
  ),
  twin(
    "stores what a stream left behind when it has ended, and not before its last byte",
    class extends ReferenceAdapter {
      override async write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
        this.leave(exchange);
        exchange.size += this.sizeOf(exchange, chunk);
        exchange.res.write(chunk);
      }
    },
    "a body of announced length is complete with its last byte: what was stored before it is in the store by then",
  ),
  twin(
    "lets the headers go before it stores",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        this.leave(exchange);
        await super.commit(exchange);
      }
    },
    "with create: 'write' a visitor gets a cookie with the first thing that is stored, and not before",
    "with create: 'write' what is stored before the first byte of a stream comes with its cookie",
    "a response that sets the session cookie is not stored by anybody, whatever its body is (R-82)",
  ),
  twin(
    "answers as if all were well where the store has failed",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        try {
          await super.commit(exchange);
        } catch {
          return;
        }
      }
    },
    "a store that throws at commit: 503 instead of what the handler answered, or a stream that is cut off, and the cookie stays as it is (R-79)",
    "a store that hangs at commit: 503 instead of what the handler answered, or a stream that is cut off, and the cookie stays as it is (R-79)",
    "a request that was answered 503 because its changes could not be stored leaves a line that says so",
  ),
  twin(
    "completes a response whose last changes could not be stored",
    class extends ReferenceAdapter {
      override async commit(exchange: Exchange): Promise<void> {
        try {
          await super.commit(exchange);
        } catch (error) {
          if (!exchange.res.headersSent) throw error;
        }
      }
    },
    "a store that fails after the headers have left: the response is cut off, never completed (R-79)",
  ),
  twin(
    "clears the cookie where the store has failed",
    class extends ReferenceAdapter {
      override leave(exchange: Exchange): void {
        super.leave(exchange);
        const { res } = exchange;
        if (res.headersSent || res.statusCode !== 503) return;
        res.appendHeader("Set-Cookie", "kyb_session_id=; Path=/; Max-Age=0");
      }
    },
    "a store that throws at open: 503 and no handler, never an empty session, never a cookie (R-77)",
    "a store that hangs at open: 503 and no handler, never an empty session, never a cookie (R-77)",
    "a store that throws at sign-in and at sign-out: 503, nobody is signed in or out, and the old cookie goes on (R-79)",
    "a store that hangs at sign-in and at sign-out: 503, nobody is signed in or out, and the old cookie goes on (R-79)",
    "with onStoreError: 'unavailable' the handler runs and is told, no cookie is touched, and what stores something answers 503 (R-77)",
    "an outage is answered 503 with Retry-After, and no cookie is touched",
  ),
  twin(
    "clears the cookie of whoever has no session",
    class extends ReferenceAdapter {
      override leave(exchange: Exchange): void {
        super.leave(exchange);
        const { res, visit } = exchange;
        if (res.headersSent || visit?.session.state === "ok") return;
        res.appendHeader("Set-Cookie", "kyb_session_id=; Path=/; Max-Age=0");
      }
    },
    "two session cookies are served without a session, and nothing is created or set; in one line or in two (R-18)",
    "a session that was ended elsewhere is over with the next request, whose cookie is left alone (R-26, R-30)",
    "with onStoreError: 'unavailable' the handler runs and is told, no cookie is touched, and what stores something answers 503 (R-77)",
  ),
  twin(
    "drops what a handler changed before it threw",
    class extends ReferenceAdapter {
      override async answer(exchange: Exchange, steps: readonly Step[]): Promise<HostAnswer> {
        try {
          return await super.answer(exchange, steps);
        } catch (error) {
          exchange.visit?.discard();
          throw error;
        }
      }
    },
    "what a handler changed before it threw is kept (store in memory)",
    "what a handler changed before it threw is kept (asynchronous store)",
  ),
  twin(
    "drops what a handler changed before its client left",
    class extends ReferenceAdapter {
      override closed(exchange: Exchange): void {
        this.finish(exchange);
      }
    },
    "what a handler changed before its client left is stored",
  ),
  twin(
    "waits until the timeline is written",
    class extends ReferenceAdapter {
      override async end(exchange: Exchange, chunk?: string): Promise<void> {
        const { app, visit } = exchange;
        const id = visit?.session.id ?? "";
        await this.commit(exchange);
        this.leave(exchange);
        if (id !== "") {
          const count = async () => (await app.manager.activity(id)).total ?? 0;
          const before = await count();
          this.finish(exchange);
          while (!exchange.res.destroyed && (await count()) === before) await turn();
        }
        await super.end(exchange, chunk);
      }
    },
    "a store that hangs when the timeline is written: no request fails or waits of it (R-46)",
  ),
  twin(
    "fails where the timeline cannot be written",
    class extends ReferenceAdapter {
      #isFailing = false;

      override step(app: AdapterApp, layer: AdapterApp["layers"][number]): Step {
        app.manager.on("tracking-dropped", () => {
          this.#isFailing = true;
        });
        return super.step(app, layer);
      }

      override async open(exchange: Exchange): Promise<undefined> {
        if (this.#isFailing) throw new Error("The timeline is full.");
        await super.open(exchange);
      }
    },
    "a store that throws when the timeline is written: no request fails or waits of it (R-46)",
    "a store that hangs when the timeline is written: no request fails or waits of it (R-46)",
  ),
];
