import { isSessionError } from "./errors.ts";
import type { StoreGateway } from "./gateway.ts";
import { unref } from "./internal/timer.ts";

/**
 * Milliseconds of one slice of work. With the step that begins just before its end, and a collection of garbage within
 * it, no request waits 5.
 */
const SLICE = 2;

/** Ends due sessions in the background, slice by slice. One timer, which keeps no process alive. */
export class Sweeper {
  readonly #gateway: StoreGateway;
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;

  /** `interval` in milliseconds; 0: never. */
  constructor(gateway: StoreGateway, interval: number) {
    this.#gateway = gateway;
    this.#interval = interval;
  }

  start(): void {
    if (this.#isRunning || this.#interval === 0) return;
    this.#isRunning = true;
    this.#wait(this.#interval);
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  #wait(delay: number): void {
    this.#timer = setTimeout(() => void this.#slice(), delay);
    unref(this.#timer);
  }

  /** Never rejects: the gateway reports a store that fails, and the next round tries again. */
  async #slice(): Promise<void> {
    let more = false;
    try {
      const result = await this.#gateway.call("sweep", (store, call) =>
        store.sweep({ milliseconds: SLICE }, call),
      );
      more = result.more;
    } catch (error) {
      if (!isSessionError(error)) throw error;
    }
    if (this.#isRunning) this.#wait(more ? 0 : this.#interval);
  }
}
