import type { IncomingMessage, ServerResponse } from "node:http";
import type { Visit } from "@kyb/session-core";
import { type AnswerHead, clearHead, LeavingHead, putHead, takeHead } from "./answer-head.ts";
import { chunkSize, isBodyless } from "./body-size.ts";
import { setExplicitHeaders } from "./explicit-headers.ts";
import { type ResponseMethods, replaceMethods } from "./replaced-methods.ts";

/** What a departure needs of a visit. */
export type DepartingVisit = Pick<Visit, "isDirty" | "commit" | "seal" | "finish">;

/** Status of a request whose client left before there was an answer. */
const CLIENT_LEFT = 499;

/**
 * A response on its way out: the one place that may hold it back, and only while a state write is under way.
 *
 * It replaces `write`, `end`, `writeHead` and `flushHeaders` of this one response, and does four things:
 * - What was changed before the first byte is stored before the first byte leaves, so that the cookie of a session
 *   made on the way is in time; what was changed later is stored before the last byte leaves. A response without
 *   changes is never delayed.
 * - If the store refuses before anything was sent, the answer is taken back and the host's error handling answers. If
 *   headers have left, or the handler still goes on writing, the connection is cut, so that the client never
 *   takes what it got for a complete answer.
 * - When the headers leave, the visit adds its cookie.
 * - When the response has closed, the visit ends, with the bytes counted.
 *
 * `on-headers` and `on-finished` are not used: the same methods have to be replaced anyway to hold the end and to
 * count, once instead of twice, and Node has emitted `close` in every case since version 12.
 */
export class Departure implements ResponseMethods {
  readonly #visit: DepartingVisit;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #fail: (error: unknown) => void;
  readonly #write: ServerResponse["write"];
  readonly #end: ServerResponse["end"];
  readonly #writeHead: ServerResponse["writeHead"];
  readonly #flushHeaders: ServerResponse["flushHeaders"];
  #size = 0;
  /** The headers leave, or have left. */
  #isLeaving = false;
  #isSealed = false;
  #isEnded = false;
  /** The store has refused once: what is answered to that is not held back again. */
  #hasFailed = false;
  /** Calls that wait for the store, in order. */
  #held: (() => unknown)[] | undefined;
  #isEndHeld = false;
  /** The write that goes on while the response does. */
  #saving: Promise<void> | undefined;

  /** `fail` gets the store's refusal where the client can still be told. */
  constructor(
    visit: DepartingVisit,
    req: IncomingMessage,
    res: ServerResponse,
    fail: (error: unknown) => void,
  ) {
    this.#visit = visit;
    this.#req = req;
    this.#res = res;
    this.#fail = fail;
    // Not Node's own methods where other middleware has replaced them before.
    this.#write = res.write;
    this.#end = res.end;
    this.#writeHead = res.writeHead;
    this.#flushHeaders = res.flushHeaders;
  }

  /** Takes the response over. */
  begin(): void {
    replaceMethods(this.#res, this);
  }

  write(chunk: unknown, encoding: unknown, callback: unknown): boolean {
    // Other middleware's `end` may call `write`; what it writes was counted as it came.
    if (this.#isEnded) return this.#callWrite(chunk, encoding, callback);
    if (!this.#mustWait) return this.#sendChunk(chunk, encoding, callback);
    if (this.#held === undefined && this.#res.headersSent && !this.#isLast(chunk, encoding)) {
      this.#saveAlong();
      return this.#sendChunk(chunk, encoding, callback);
    }
    this.#hold(() => this.#sendChunk(chunk, encoding, callback));
    // Whoever minds waits for `drain`.
    return false;
  }

  end(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    if (this.#isEnded || !this.#mustWait) return this.#sendEnd(chunk, encoding, callback);
    this.#hold(() => this.#sendEnd(chunk, encoding, callback));
    this.#isEndHeld = true;
    return this.#res;
  }

  writeHead(status: number, reason: unknown, headers: unknown): ServerResponse {
    const res = this.#res;
    if (this.#isSealed || res.headersSent) {
      return Reflect.apply(this.#writeHead, res, [status, reason, headers]);
    }
    const hasReason = typeof reason === "string";
    setExplicitHeaders(res, hasReason ? headers : (headers ?? reason));
    if (!this.#isLeaving && this.#mustWait) {
      // Node writes the same head with the first byte; until then the answer can still be taken back.
      res.statusCode = status;
      if (hasReason) res.statusMessage = reason;
      return res;
    }
    this.#isSealed = true;
    this.#visit.seal(new LeavingHead(res));
    return Reflect.apply(this.#writeHead, res, hasReason ? [status, reason] : [status]);
  }

  flushHeaders(): void {
    if (this.#mustWait && !this.#res.headersSent) this.#hold(() => this.#sendHeaders());
    else this.#sendHeaders();
  }

  /** The response is complete, or the client has left. */
  close(): void {
    const res = this.#res;
    if (res.writableEnded || !this.#visit.isDirty) {
      this.#finish();
      return;
    }
    // The client has left in the middle of it. What the handler changed until then is stored, as on hosts that never
    // hear of a client that leaves; what cannot be stored has raised `lost-write`, and nobody waits for an answer.
    const finish = (): void => this.#finish();
    this.#visit.commit().then(finish, finish);
  }

  #finish(): void {
    const res = this.#res;
    const status = res.headersSent ? res.statusCode : CLIENT_LEFT;
    this.#visit.finish({
      status,
      responseSize: isBodyless(this.#req.method, status) ? 0 : this.#size,
    });
  }

  /** Whether there is state to store, or a call waits already whose turn is first. */
  get #mustWait(): boolean {
    return this.#held !== undefined || (this.#visit.isDirty && !this.#hasFailed);
  }

  /** Whether this chunk completes the announced length: for the client it is the end. */
  #isLast(chunk: unknown, encoding: unknown): boolean {
    const announced = this.#res.getHeader("Content-Length");
    return announced !== undefined && this.#size + chunkSize(chunk, encoding) >= Number(announced);
  }

  #sendChunk(chunk: unknown, encoding: unknown, callback: unknown): boolean {
    this.#isLeaving = true;
    this.#size += chunkSize(chunk, encoding);
    return this.#callWrite(chunk, encoding, callback);
  }

  #callWrite(chunk: unknown, encoding: unknown, callback: unknown): boolean {
    return Reflect.apply(this.#write, this.#res, [chunk, encoding, callback]);
  }

  #sendEnd(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse {
    this.#isLeaving = true;
    if (!this.#isEnded) this.#size += chunkSize(chunk, encoding);
    this.#isEnded = true;
    try {
      return Reflect.apply(this.#end, this.#res, [chunk, encoding, callback]);
    } catch (error) {
      // An invalid status or chunk: the host's error handling answers instead.
      this.#isEnded = false;
      throw error;
    }
  }

  #sendHeaders(): void {
    this.#isLeaving = true;
    this.#flushHeaders.call(this.#res);
  }

  /** Stores while the response goes on, so that its end need not wait long. */
  #saveAlong(): void {
    this.#saving ??= this.#visit.commit().then(
      () => {
        this.#saving = undefined;
      },
      (error: unknown) => this.#giveUp(error),
    );
  }

  /** Makes the call when the state is stored. The first one begins to store, those that follow keep their order. */
  #hold(call: () => unknown): void {
    if (this.#held !== undefined) {
      // What comes after the end is the handler's mistake and has no effect.
      if (!this.#isEndHeld) this.#held.push(call);
      return;
    }
    this.#held = [call];
    const head = this.#res.headersSent ? undefined : takeHead(this.#res);
    this.#store().then(
      () => this.#release(head),
      (error: unknown) => this.#giveUp(error),
    );
  }

  async #store(): Promise<void> {
    if (this.#saving !== undefined) await this.#saving;
    if (this.#hasFailed) return;
    await this.#visit.commit();
    // What the handler has begun meanwhile, such as a sign-in, needs the headers as well.
    if (this.#visit.isDirty) await this.#visit.commit();
  }

  #release(head: AnswerHead | undefined): void {
    const calls = this.#held;
    if (calls === undefined) return;
    this.#held = undefined;
    try {
      // For the handler that answer was on its way: what was set since, for an error page perhaps, is not part of it.
      if (head !== undefined) putHead(this.#res, head);
      for (const call of calls) call();
      // Node itself says it where its buffers are full.
      if (!this.#isEnded && !this.#res.writableNeedDrain) this.#res.emit("drain");
    } catch (error) {
      // What `end` would have thrown, such as an invalid status.
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#held = undefined;
    // A handler that has not ended yet would go on writing, into whatever is answered instead.
    if (!this.#isEndHeld || this.#res.headersSent || this.#res.destroyed) {
      this.#res.destroy();
      return;
    }
    this.#isEndHeld = false;
    this.#isEnded = false;
    this.#isLeaving = false;
    this.#size = 0;
    clearHead(this.#res);
    this.#fail(error);
  }
}
