import type { AdapterApp } from "../../src/index.ts";
import { type Exchange, type HostAnswer, ReferenceAdapter } from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

/** What adapters get wrong with errors. */
export const brokenErrors: readonly BrokenAdapter[] = [
  twin(
    "answers errors itself, and asks no error handling of the application's",
    class extends ReferenceAdapter {
      override answerTo(app: AdapterApp, error: unknown): HostAnswer {
        return super.answerTo({ ...app, onError: undefined }, error);
      }
    },
    "an error of a handler goes to the application's error handling, once and unchanged, and its answer is the answer",
    "what a handler changed before it threw is kept (store in memory)",
    "what a handler changed before it threw is kept (asynchronous store)",
    "an error of the session's carries the status that the application's error handling needs",
    "a full store serves newcomers without a session, and what stores something answers 503 (R-80)",
    "a handler that throws leaves a line with the status that was answered",
    "what a fetch handler throws goes to the application's error handling",
  ),
  twin(
    "tells the application's error handling twice",
    class extends ReferenceAdapter {
      override answerTo(app: AdapterApp, error: unknown): HostAnswer {
        app.onError?.(error);
        return super.answerTo(app, error);
      }
    },
    "an error of a handler goes to the application's error handling, once and unchanged, and its answer is the answer",
    "what kept a change from being stored reaches the application's error handling once",
  ),
  twin(
    "wraps what a handler throws into an error of its own",
    class extends ReferenceAdapter {
      override answerTo(app: AdapterApp, cause: unknown): HostAnswer {
        return super.answerTo(app, new Error("The handler failed.", { cause }));
      }
    },
    "an error of the session's carries the status that the application's error handling needs",
    "without error handling of the application's own the host answers with the status of the session's error",
    "a full store serves newcomers without a session, and what stores something answers 503 (R-80)",
  ),
  twin(
    "answers an error without the headers of a session's answer",
    class extends ReferenceAdapter {
      override answerTo(app: AdapterApp, error: unknown): HostAnswer {
        const answer = super.answerTo(app, error);
        return answer instanceof Response ? answer : { ...answer, cookies: ["error=1"] };
      }

      override leave(exchange: Exchange): void {
        if (exchange.res.getHeader("Set-Cookie")?.toString() === "error=1") {
          exchange.visit?.seal({ get: () => "", set: () => undefined, append: () => undefined });
        } else super.leave(exchange);
      }
    },
    "a sign-in before the error is not lost: the error's answer carries the new cookie",
    "a newcomer whose first request fails has a session all the same",
    "a store that throws at sign-in and at sign-out: 503, nobody is signed in or out, and the old cookie goes on (R-79)",
    "a store that hangs at sign-in and at sign-out: 503, nobody is signed in or out, and the old cookie goes on (R-79)",
    "with onStoreError: 'unavailable' the handler runs and is told, no cookie is touched, and what stores something answers 503 (R-77)",
  ),
  twin(
    "leaves a body open that has failed",
    class extends ReferenceAdapter {
      override async send(exchange: Exchange, answer: HostAnswer): Promise<void> {
        try {
          await super.send(exchange, answer);
        } catch {
          return;
        }
      }
    },
    "a store that fails after the headers have left: the response is cut off, never completed (R-79)",
  ),
];
