import type { StoreEvent } from "@kyb/session-core/store";

/** Milliseconds between two looks at what other processes did. */
const INTERVAL = 250;

/** What other processes did. */
export interface EventSource {
  /** From now on. */
  restart(): void;
  /** The next events. */
  read(): readonly StoreEvent[];
}

/**
 * Tells listeners what happened: at once what this store did, a moment later what others did, for which it looks again
 * and again as long as anybody listens. Its timer keeps no process alive.
 */
export class EventFeed {
  readonly #listeners = new Set<{ readonly listen: (event: StoreEvent) => void }>();
  readonly #others: EventSource;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(others: EventSource) {
    this.#others = others;
  }

  subscribe(listen: (event: StoreEvent) => void): () => void {
    // An object of its own, so that the same function may listen twice and stop once.
    const listener = { listen };
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#others.restart();
      this.#look();
      this.#timer = setInterval(() => this.#look(), INTERVAL);
      this.#timer.unref?.();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  deliver(events: readonly StoreEvent[]): void {
    for (const event of events) {
      for (const { listen } of [...this.#listeners]) listen(event);
    }
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    let events: readonly StoreEvent[];
    try {
      events = this.#others.read();
    } catch {
      // Locked, or out of order: those who call the store hear of it, and the next look finds what this one did not.
      return;
    }
    this.deliver(events);
  }
}
