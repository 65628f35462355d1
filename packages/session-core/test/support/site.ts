import { memoryStore } from "../../src/memory/memory-store.ts";
import type { Answer, Browser, RequestInit } from "./browser.ts";
import { FailingStore } from "./failing-store.ts";
import type { ManualTimers } from "./manual-timers.ts";
import { World } from "./world.ts";

/** Milliseconds that a call may take at a {@link Site}. */
export const TIMEOUT = 200;

/** What a store that cannot be asked looks like. */
export const UNAVAILABLE: object = {
  name: "SessionError",
  code: "STORE_UNAVAILABLE",
  status: 503,
  headers: { "Retry-After": "1" },
};

/** An application whose store fails as it is told, on timers that the test moves. */
export class Site {
  readonly world: World;
  readonly failing: FailingStore = new FailingStore(memoryStore());
  readonly #timers: ManualTimers;

  constructor(timers: ManualTimers, config: ConstructorParameters<typeof World>[0] = {}) {
    this.#timers = timers;
    this.world = new World({
      store: this.failing.store,
      storeTimeout: TIMEOUT,
      cleanupInterval: 0,
      ...config,
    });
  }

  /** Waits for something, with all the time that it needs. */
  async wait<Result>(promise: Promise<Result>): Promise<Result> {
    const outcome = promise.then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    await this.#timers.advance(10 * TIMEOUT);
    return (await outcome)();
  }

  /** A whole request, with all the time that it needs. */
  request(
    browser: Browser,
    handler?: Parameters<Browser["request"]>[0],
    init?: RequestInit,
  ): Promise<Answer> {
    return this.wait(browser.request(handler, init));
  }
}
