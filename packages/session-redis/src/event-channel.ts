import type { StoreEvent } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { readEvent } from "./store-event.ts";

/** Milliseconds after which a subscription that failed is tried again. */
const RETRY = 1000;

type Listen = (event: StoreEvent) => void;

/** Hears the events of all instances over one connection, which is opened with the first listener. */
export class EventChannel {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #listeners = new Set<{ readonly listen: Listen }>();
  #open: Promise<(() => Promise<void>) | undefined> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: RedisConnection, channel: string) {
    this.#connection = connection;
    this.#channel = channel;
  }

  subscribe(listen: Listen): () => void {
    // An object of its own, so that the same function may listen twice and stop once.
    const listener = { listen };
    this.#listeners.add(listener);
    this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.#end();
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#end();
  }

  #begin(): void {
    this.#open ??= this.#connection
      .listen(this.#channel, (message) => this.#hear(message))
      .catch(() => {
        // Nobody waits for a subscription: events are missed until the server is there.
        this.#open = undefined;
        if (this.#listeners.size === 0) return undefined;
        this.#retry = setTimeout(() => this.#begin(), RETRY);
        this.#retry.unref();
        return undefined;
      });
  }

  /** Never rejects: a connection that is gone already is as good as closed. */
  async #end(): Promise<void> {
    clearTimeout(this.#retry);
    const open = this.#open;
    this.#open = undefined;
    const close = await open;
    try {
      await close?.();
    } catch {
      // It was closed by somebody else.
    }
  }

  #hear(message: string): void {
    const event = readEvent(message);
    if (event === undefined) return;
    for (const { listen } of [...this.#listeners]) listen(event);
  }
}
