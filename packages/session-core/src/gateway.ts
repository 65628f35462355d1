import type { Clock } from "./environment.ts";
import { isSessionError, SessionError } from "./errors.ts";
import type { EventEmitter } from "./events.ts";
import type { MaybePromise, SessionStore, StoreCall } from "./store.ts";

/** Whether a store answers later. */
export function isPromise<Value>(value: MaybePromise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

/** What the process knows about its store calls. Durations in milliseconds. */
export interface StoreLatency {
  readonly calls: number;
  readonly failures: number;
  readonly averageDuration: number;
  readonly maxDuration: number;
}

/**
 * The only way to the store: gives every call its deadline and turns whatever goes wrong into one kind of error.
 * A store that answers at once costs no promise and no timer.
 */
export class StoreGateway {
  readonly store: SessionStore;
  readonly #timeout: number;
  readonly #clock: Clock;
  readonly #events: EventEmitter;
  #calls = 0;
  #failures = 0;
  #total = 0;
  #max = 0;

  constructor(store: SessionStore, timeout: number, clock: Clock, events: EventEmitter) {
    this.store = store;
    this.#timeout = timeout;
    this.#clock = clock;
    this.#events = events;
  }

  /**
   * Calls the store. `STORE_UNAVAILABLE` when it throws, rejects or does not answer within `storeTimeout`;
   * a `SessionError` of the store's own passes as it is. `operation` is for the event and the message.
   */
  call<Result>(
    operation: string,
    run: (store: SessionStore, call: StoreCall) => MaybePromise<Result>,
  ): MaybePromise<Result> {
    const call = new Deadline();
    let answer: MaybePromise<Result>;
    try {
      answer = run(this.store, call);
    } catch (cause) {
      throw this.#failed(operation, cause);
    }
    return isPromise(answer) ? this.#wait(operation, answer, call) : answer;
  }

  /** Calls that had to wait; those that are answered at once are not timed, which would cost more than they do. */
  latency(): StoreLatency {
    return {
      calls: this.#calls,
      failures: this.#failures,
      averageDuration: this.#calls === 0 ? 0 : this.#total / this.#calls,
      maxDuration: this.#max,
    };
  }

  async #wait<Result>(operation: string, answer: Promise<Result>, call: Deadline): Promise<Result> {
    const startedAt = this.#clock.monotonic();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const cause = new Error(`The store did not answer within ${this.#timeout} ms.`);
        call.abort(cause);
        reject(cause);
      }, this.#timeout);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (cause) {
      throw this.#failed(operation, cause);
    } finally {
      clearTimeout(timer);
      const duration = this.#clock.monotonic() - startedAt;
      this.#calls += 1;
      this.#total += duration;
      this.#max = Math.max(this.#max, duration);
    }
  }

  #failed(operation: string, cause: unknown): SessionError {
    // What the caller did wrong is not an outage.
    if (isSessionError(cause) && cause.code !== "STORE_UNAVAILABLE") return cause;
    const error = isSessionError(cause)
      ? cause
      : new SessionError("STORE_UNAVAILABLE", `The session store failed to ${operation}.`, {
          cause,
        });
    this.#failures += 1;
    this.#events.emit("store-error", { operation, error });
    return error;
  }
}

class Deadline implements StoreCall {
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason);
  }
}
