import type { ResolvedConfig } from "./config.ts";
import { isOutage, isSessionError } from "./errors.ts";
import type { EventEmitter } from "./events.ts";
import { isPromise, type StoreGateway } from "./gateway.ts";
import { unref } from "./internal/timer.ts";
import type { MaybePromise } from "./store.ts";
import type { TrackBatch, TrackItem } from "./track-batch.ts";

/** Items that are sent in one batch. */
const BATCH_SIZE = 500;
/** Items that wait for an external store at most; what comes on top is dropped and counted. */
const BUFFER_SIZE = 20_000;

/**
 * Writes observations behind the requests. To a store in memory at once; to others in batches, by time and by
 * size, one at a time. Never delays and never fails a request: what cannot be kept is dropped and counted.
 */
export class Tracker {
  readonly #gateway: StoreGateway;
  readonly #events: EventEmitter;
  readonly #interval: number;
  readonly #instance: () => string;
  #waiting: TrackItem[] = [];
  #unanswered: TrackBatch | undefined;
  #sequence = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;
  #isClosed = false;
  #dropped = 0;

  /** `instance` names this process to the store; it is first asked for with the first batch. */
  constructor(
    gateway: StoreGateway,
    events: EventEmitter,
    config: Pick<ResolvedConfig, "flushInterval">,
    instance: () => string,
  ) {
    this.#gateway = gateway;
    this.#events = events;
    this.#interval = config.flushInterval;
    this.#instance = instance;
  }

  /** Observations thrown away since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(item: TrackItem): void {
    if (this.#gateway.store.capabilities.immediate) {
      void this.write(item);
      return;
    }
    if (this.#isClosed) {
      this.#drop(1, "failed");
      return;
    }
    if (this.#waiting.length >= BUFFER_SIZE) {
      this.#drop(1, "full");
      return;
    }
    this.#waiting.push(item);
    if (this.#waiting.length >= BATCH_SIZE) this.#flushSoon(0);
    else this.#flushSoon(this.#interval);
  }

  /**
   * Writes one observation through; the caller waits for it. It must be harmless to repeat. Never rejects: what
   * cannot be kept is dropped and counted.
   */
  write(item: TrackItem): MaybePromise<void> {
    try {
      const batch: TrackBatch = { instance: this.#instance(), sequence: 0, items: [item] };
      const answer = this.#gateway.call("track", (store, call) => store.track(batch, call));
      return isPromise(answer) ? answer.catch((error: unknown) => this.#lost(error)) : answer;
    } catch (error) {
      this.#lost(error);
    }
  }

  /** Sends everything that waits; resolves when it is stored or dropped. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#hasWork() || this.#flushing !== undefined) {
      await this.#send();
      // A store that is down gets one try per flush; the rest waits, bounded, for the next one.
      if (this.#unanswered !== undefined) return;
    }
  }

  /** Flushes, and counts as dropped what could not be stored. */
  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const left = this.#waiting.length + (this.#unanswered?.items.length ?? 0);
    this.#waiting = [];
    this.#unanswered = undefined;
    if (left > 0) this.#drop(left, "failed");
  }

  /** The gateway has already reported why. */
  #lost(error: unknown): void {
    if (!isSessionError(error)) throw error;
    this.#drop(1, "failed");
  }

  #flushSoon(delay: number): void {
    if (this.#timer !== undefined && delay > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, delay);
    unref(this.#timer);
  }

  /**
   * One at a time. What comes after it is done behind the assignment, also where there is nothing to send or the
   * store fails at once: a sending that was over before it was noted would never be over.
   */
  #send(): Promise<void> {
    this.#flushing ??= this.#sendWaiting().finally(() => {
      this.#flushing = undefined;
      if (this.#hasWork()) this.#flushSoon(this.#interval);
    });
    return this.#flushing;
  }

  /** Never rejects: a store that cannot be reached has been reported by the gateway, and its batch goes again. */
  async #sendWaiting(): Promise<void> {
    try {
      while (this.#hasWork()) {
        // A batch without an answer may have been applied: it goes again under its own number, before any other.
        this.#unanswered ??= this.#nextBatch();
        const batch = this.#unanswered;
        await this.#gateway.call("track", (store, call) => store.track(batch, call));
        this.#unanswered = undefined;
      }
    } catch (error) {
      if (mayPass(error)) return;
      const refused = this.#unanswered?.items.length ?? 0;
      this.#unanswered = undefined;
      if (refused > 0) this.#drop(refused, "failed");
    }
  }

  #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#unanswered !== undefined;
  }

  #nextBatch(): TrackBatch {
    this.#sequence += 1;
    return {
      instance: this.#instance(),
      sequence: this.#sequence,
      items: this.#waiting.splice(0, BATCH_SIZE),
    };
  }

  #drop(count: number, reason: "full" | "failed"): void {
    this.#dropped += count;
    this.#events.emit("tracking-dropped", { count, reason });
  }
}

/** Whether the same batch may be taken later: the store was not reached, or had no room. */
function mayPass(error: unknown): boolean {
  if (!isSessionError(error)) return false;
  return error.code === "STORE_FULL" || (isOutage(error) && error.code !== "RECORD_UNREADABLE");
}
