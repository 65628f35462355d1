import {
  type Exchange,
  type HostAnswer,
  ReferenceAdapter,
  type Step,
} from "../reference-adapter.ts";
import { type BrokenAdapter, twin } from "./twin.ts";

type Outcome = Parameters<NonNullable<Exchange["visit"]>["finish"]>[0];

/** An adapter that writes something else into the timeline. */
class InsteadOfOutcome extends ReferenceAdapter {
  outcome(_exchange: Exchange): Partial<Outcome> {
    return {};
  }

  override finish(exchange: Exchange): void {
    const { visit, res, size } = exchange;
    visit?.finish({
      status: res.headersSent ? res.statusCode : 499,
      responseSize: size,
      ...this.outcome(exchange),
    });
  }
}

/** What adapters get wrong when they measure. */
export const brokenTimelines: readonly BrokenAdapter[] = [
  twin(
    "measures what is sent with the headers",
    class extends ReferenceAdapter {
      override async write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
        await super.write(exchange, chunk);
        this.finish(exchange);
      }
    },
    "status and size are what was sent (stream, GET)",
    "status and size are what was sent (pipe, GET)",
    "a 204 and a 304 have no size, and a long body has all of it",
    "a body that comes in parts is one line, with all bytes and the time until the last (stream)",
    "a body that comes in parts is one line, with all bytes and the time until the last (pipe)",
    "a body that comes in parts is one line, with all bytes and the time until the last (server-sent events)",
  ),
  twin(
    "counts characters",
    class extends ReferenceAdapter {
      override sizeOf(exchange: Exchange, chunk: string | Uint8Array): number {
        const size = super.sizeOf(exchange, chunk);
        return size === 0 ? 0 : Buffer.from(chunk).toString().length;
      }
    },
    "a request leaves one line with action, path, method, status, sizes and duration",
    "a body that comes in parts is one line, with all bytes and the time until the last (stream)",
    "a body that comes in parts is one line, with all bytes and the time until the last (pipe)",
    "a body that comes in parts is one line, with all bytes and the time until the last (server-sent events)",
    "a fetch handler's answers stand in the timeline with their status and size, also to HEAD",
  ),
  twin(
    "counts a body that is not sent",
    class extends ReferenceAdapter {
      override sizeOf(_exchange: Exchange, chunk: string | Uint8Array): number {
        return Buffer.byteLength(chunk);
      }
    },
    "status and size are what was sent (text, HEAD)",
    "status and size are what was sent (json, HEAD)",
    "status and size are what was sent (redirect, HEAD)",
    "status and size are what was sent (stream, HEAD)",
    "status and size are what was sent (pipe, HEAD)",
    "a fetch handler's answers stand in the timeline with their status and size, also to HEAD",
  ),
  twin(
    "writes 200 into the timeline, whatever was answered",
    class extends InsteadOfOutcome {
      override outcome(): Partial<Outcome> {
        return { status: 200 };
      }
    },
    "status and size are what was sent (text, GET)",
    "status and size are what was sent (text, HEAD)",
    "status and size are what was sent (json, GET)",
    "status and size are what was sent (json, HEAD)",
    "status and size are what was sent (redirect, GET)",
    "status and size are what was sent (redirect, HEAD)",
    "status and size are what was sent (none, GET)",
    "status and size are what was sent (none, HEAD)",
    "status and size are what was sent (stream, GET)",
    "status and size are what was sent (stream, HEAD)",
    "status and size are what was sent (pipe, GET)",
    "status and size are what was sent (pipe, HEAD)",
  ),
  twin(
    "takes a client that left for one that was answered",
    class extends InsteadOfOutcome {
      override outcome({ res }: Exchange): Partial<Outcome> {
        return { status: res.statusCode };
      }
    },
    "a client that leaves before the headers do is a line with 499, once, also where the handler never ends",
  ),
  twin(
    "keeps the query string",
    class extends InsteadOfOutcome {
      override outcome({ url }: Exchange): Partial<Outcome> {
        return { endpoint: url };
      }
    },
    "the path is kept without its query string (R-45)",
    "every request of a connection that is kept alive has its own line",
  ),
  twin(
    "keeps the path below the mount point",
    class extends InsteadOfOutcome {
      override outcome({ path }: Exchange): Partial<Outcome> {
        return { endpoint: path.replace("/shop", "") };
      }
    },
    "behind a mount point the path that is kept is the whole one",
  ),
  twin(
    "finishes complete responses only",
    class extends ReferenceAdapter {
      override closed(exchange: Exchange): void {
        if (exchange.res.writableFinished) super.closed(exchange);
      }
    },
    "a body that fails in the middle leaves one line with what was sent, and the server goes on",
    "a client that leaves in the middle of a body is a line with the status and the bytes that were sent (stream)",
    "a client that leaves in the middle of a body is a line with the status and the bytes that were sent (pipe)",
  ),
  twin(
    "hears only of clients that leave after the session was found",
    class extends ReferenceAdapter {
      override closed(): void {
        return;
      }

      override async open(exchange: Exchange): Promise<undefined> {
        await super.open(exchange);
        exchange.res.on("close", () => super.closed(exchange));
      }
    },
    "a client that leaves while the store is asked for its session is a line with 499",
  ),
  twin(
    "finishes when the handler has, and not when the client leaves",
    class extends ReferenceAdapter {
      override closed(): void {
        return;
      }

      override async serve(exchange: Exchange, steps: readonly Step[]): Promise<void> {
        await super.serve(exchange, steps);
        this.finish(exchange);
      }
    },
    "a client that leaves before the headers do is a line with 499, once, also where the handler never ends",
    "what a handler changed before its client left is stored",
    "a client that leaves in the middle of a body is a line with the status and the bytes that were sent (stream)",
    "a client that leaves in the middle of a body is a line with the status and the bytes that were sent (pipe)",
  ),
  twin(
    "writes two lines for one request",
    class extends ReferenceAdapter {
      override finish(exchange: Exchange): void {
        super.finish(exchange);
        const { app, visit } = exchange;
        const id = visit?.session.id ?? "";
        if (id !== "") app.manager.recordActivity(id, { action: "request" }).catch(console.error);
      }
    },
    "what a handler tracks and annotates is there",
  ),
  twin(
    "writes one line for each connection",
    class extends ReferenceAdapter {
      readonly #seen = new WeakSet<object>();

      override finish(exchange: Exchange): void {
        const { socket } = exchange.req;
        if (!this.#seen.has(socket)) super.finish(exchange);
        this.#seen.add(socket);
      }
    },
    "a request that the option skip names gets no session and leaves no trace",
    "a 204 and a 304 have no size, and a long body has all of it",
    "every request of a connection that is kept alive has its own line",
    "a passive request has its line and keeps nobody alive",
    "requests to the API stand in no timeline and no count (behind session())",
    "requests to the API stand in no timeline and no count (before session())",
    "requests to the API stand in no timeline and no count (behind session() and a body parser)",
    "requests to the API stand in no timeline and no count (behind a body parser, before session())",
  ),
  twin(
    "writes no line for a newcomer",
    class extends ReferenceAdapter {
      override finish(exchange: Exchange): void {
        if (exchange.visit?.session.isNew !== true) super.finish(exchange);
      }
    },
    "session() twice is session() once: one visit, one cookie, one line",
    "a newcomer's first request stands in the timeline of the session that it made",
  ),
  twin(
    "writes down what the handler answered, and not what was sent in its place",
    class extends InsteadOfOutcome {
      readonly #statuses = new WeakMap<Exchange, number>();

      override async answer(exchange: Exchange, steps: readonly Step[]): Promise<HostAnswer> {
        this.#statuses.set(exchange, 500);
        const answer = await super.answer(exchange, steps);
        this.#statuses.set(exchange, answer.status);
        return answer;
      }

      override outcome(exchange: Exchange): Partial<Outcome> {
        const status = this.#statuses.get(exchange);
        return exchange.res.headersSent && status !== undefined ? { status } : {};
      }
    },
    "a handler that throws leaves a line with the status that was answered",
    "a request that was answered 503 because its changes could not be stored leaves a line that says so",
  ),
];
