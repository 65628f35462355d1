import { type Admission, Circuit, PROBE_TIMEOUT } from "./circuit.ts";
import type { Clock } from "./environment.ts";
import { isOutage, isSessionError, SessionError, type SessionErrorCode } from "./errors.ts";
import type { EventEmitter } from "./events.ts";
import { unref } from "./internal/timer.ts";
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

/** How many calls ended in which error. */
export type StoreErrors = Readonly<Partial<Record<SessionErrorCode, number>>>;

/**
 * The only way to the store: gives every call its deadline and turns whatever goes wrong into one kind of error. While
 * the store does not answer, calls fail at once, but for one at a time that probes.
 *
 * A store that answers at once costs no promise, no timer and no look at the clock.
 */
export class StoreGateway {
  readonly store: SessionStore;
  readonly #timeout: number;
  readonly #clock: Clock;
  readonly #events: EventEmitter;
  readonly #circuit = new Circuit();
  readonly #errors: Partial<Record<SessionErrorCode, number>> = {};
  #lastFailure: SessionError | undefined;
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
   * Calls the store. `STORE_UNAVAILABLE` when it throws, rejects or does not answer within `storeTimeout`, and at once
   * while it is known not to answer; a `SessionError` of the store's own passes as it is. `operation` is for the
   * event and the message.
   */
  call<Result>(
    operation: string,
    run: (store: SessionStore, call: StoreCall) => MaybePromise<Result>,
  ): MaybePromise<Result> {
    const admission = this.#circuit.isOpen ? this.#admit(operation) : "pass";
    const call = new Deadline();
    let answer: MaybePromise<Result>;
    try {
      answer = run(this.store, call);
    } catch (cause) {
      // Nobody waited, and nothing is queueing up: only a probe has something to say about it.
      if (admission === "probe") this.#judge(admission, cause);
      throw this.#failed(operation, cause);
    }
    if (isPromise(answer)) return this.#wait(operation, answer, call, admission);
    if (this.#circuit.isTroubled) this.#circuit.answered(this.#clock.monotonic());
    return answer;
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

  /** Calls that the store could not serve, by code; those that failed at once included. */
  errors(): StoreErrors {
    return { ...this.#errors };
  }

  #admit(operation: string): Admission {
    const admission = this.#circuit.admit(this.#clock.monotonic());
    if (admission !== "refuse") return admission;
    this.#count("STORE_UNAVAILABLE");
    throw new SessionError(
      "STORE_UNAVAILABLE",
      `The session store was not asked to ${operation}: it has stopped answering and is being probed; calls fail at once until it is back.`,
      { cause: this.#lastFailure },
    );
  }

  async #wait<Result>(
    operation: string,
    answer: Promise<Result>,
    call: Deadline,
    admission: Admission,
  ): Promise<Result> {
    const startedAt = this.#clock.monotonic();
    const timeout = admission === "probe" ? Math.min(this.#timeout, PROBE_TIMEOUT) : this.#timeout;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const cause = new Error(`The store did not answer within ${timeout} ms.`);
        call.abort(cause);
        reject(cause);
      }, timeout);
    });
    try {
      // Whoever loses has been heard by the race: a rejection that comes after the deadline is nobody's surprise.
      const result = await Promise.race([answer, late]);
      this.#circuit.answered(this.#clock.monotonic());
      return result;
    } catch (cause) {
      this.#judge(admission, cause);
      throw this.#failed(operation, cause);
    } finally {
      clearTimeout(timer);
      const duration = this.#clock.monotonic() - startedAt;
      this.#calls += 1;
      this.#total += duration;
      this.#max = Math.max(this.#max, duration);
    }
  }

  /** What a failure says about the store: an error of its own is an answer, unless it says that nobody is there. */
  #judge(admission: Admission, cause: unknown): void {
    const now = this.#clock.monotonic();
    if (isSessionError(cause) && cause.code !== "STORE_UNAVAILABLE") this.#circuit.answered(now);
    else if (this.#circuit.failed(admission, now)) {
      unref(setTimeout(() => this.#circuit.confirm(this.#clock.monotonic()), 0));
    }
  }

  #failed(operation: string, cause: unknown): SessionError {
    const message = `The session store failed to ${operation}.`;
    const error = isSessionError(cause)
      ? cause
      : new SessionError("STORE_UNAVAILABLE", message, { cause });
    // What the caller did wrong is not the store's failure.
    if (error.code !== "STORE_FULL" && !isOutage(error)) return error;
    this.#failures += 1;
    this.#lastFailure = error;
    this.#count(error.code);
    this.#events.emit("store-error", { operation, error });
    return error;
  }

  #count(code: SessionErrorCode): void {
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
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
