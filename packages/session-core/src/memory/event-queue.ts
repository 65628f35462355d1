import type { EndReason, SessionState } from "../record.ts";
import type { StoreEvent } from "../store.ts";

/**
 * Events wait here until the call that caused them has done all of its work: a listener that reads the store sees
 * the state after it, and one that calls the store disturbs nothing.
 */
export class EventQueue {
  readonly #listeners = new Set<{ readonly listen: (event: StoreEvent) => void }>();
  #waiting: StoreEvent[] = [];

  subscribe(listen: (event: StoreEvent) => void): () => void {
    // An object of its own, so that the same function may listen twice and stop once.
    const listener = { listen };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  clear(): void {
    this.#listeners.clear();
    this.#waiting = [];
  }

  add(type: StoreEvent["type"], state: SessionState, at: number, reason?: EndReason): void {
    if (this.#listeners.size === 0) return;
    this.#waiting.push({ type, sessionId: state.id, userId: state.userId, at, reason });
  }

  /** Tells everybody everything, then throws what the first failing listener threw. */
  deliver(): void {
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    const failures: unknown[] = [];
    for (const event of events) {
      for (const { listen } of [...this.#listeners]) {
        try {
          listen(event);
        } catch (error) {
          failures.push(error);
        }
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
