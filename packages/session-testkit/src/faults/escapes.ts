const KINDS = ["unhandledRejection", "uncaughtException"] as const;

type Listener = (...args: unknown[]) => void;

/**
 * Catches what nobody handled, in place of whoever else listens for it: a rejection that nobody waits for, an error
 * event without a listener, an exception in a callback. Each of them ends a process in production.
 */
export class Escapes {
  readonly #caught: string[] = [];
  readonly #others = new Map<(typeof KINDS)[number], Listener[]>();
  readonly #listeners = new Map<(typeof KINDS)[number], Listener>();

  constructor() {
    for (const kind of KINDS) {
      this.#others.set(kind, process.listeners(kind as "uncaughtException") as Listener[]);
      process.removeAllListeners(kind);
      const listener: Listener = (error) => void this.#caught.push(`${kind}: ${describe(error)}`);
      this.#listeners.set(kind, listener);
      process.on(kind, listener);
    }
  }

  /** What has escaped so far. */
  get caught(): readonly string[] {
    return this.#caught;
  }

  /** Gives the process back to those who listened before. */
  stop(): void {
    for (const kind of KINDS) {
      process.off(kind, this.#listeners.get(kind) ?? ignore);
      for (const other of this.#others.get(kind) ?? []) process.on(kind, other);
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function ignore(): void {
  // Never listens.
}
