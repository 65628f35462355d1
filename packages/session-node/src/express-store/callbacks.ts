import { SessionError, type StoreCall } from "@kyb/session-core/store";
import type { ExpressSessionData, ExpressSessionStore } from "./express-session-store.ts";

/** The methods of an express-session store as promises, whose failures are `STORE_UNAVAILABLE`. */
export class Callbacks {
  readonly #store: ExpressSessionStore;

  constructor(store: ExpressSessionStore) {
    this.#store = store;
  }

  /** What is stored under an id; undefined: nothing. */
  get(id: string, call: StoreCall): Promise<unknown> {
    return ask("read", call, (done) => this.#store.get(id, done as (error: unknown) => void));
  }

  async set(id: string, session: ExpressSessionData, call: StoreCall): Promise<void> {
    await ask("write", call, (done) => this.#store.set(id, session as never, done));
  }

  async destroy(id: string, call: StoreCall): Promise<void> {
    await ask("delete", call, (done) => this.#store.destroy(id, done));
  }

  /** Everything that is stored. Some stores answer a list, others an object. Throws `UNSUPPORTED`. */
  async all(call: StoreCall): Promise<readonly unknown[]> {
    const { all } = this.#store;
    if (all === undefined) {
      throw new SessionError(
        "UNSUPPORTED",
        "This express-session store cannot list its sessions: it has no method `all`.",
      );
    }
    const found = await ask("list", call, (done) =>
      all.call(this.#store, done as (error: unknown) => void),
    );
    return typeof found === "object" && found !== null ? Object.values(found) : [];
  }
}

/**
 * Whoever does not answer before the caller stops waiting is not waited for: the turns of the session's other callers would
 * never come.
 */
function ask(
  what: string,
  { signal }: StoreCall,
  run: (done: (error?: unknown, result?: unknown) => void) => unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      signal.removeEventListener("abort", abort);
      reject(
        new SessionError("STORE_UNAVAILABLE", `The express-session store failed to ${what}.`, {
          cause,
        }),
      );
    };
    const abort = (): void => fail(signal.reason);
    const done = (error?: unknown, result?: unknown): void => {
      signal.removeEventListener("abort", abort);
      if (error === undefined || error === null) resolve(result ?? undefined);
      else fail(error);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener("abort", abort);
    try {
      // Stores whose methods also return a promise tell it of the same failure.
      Promise.resolve(run(done)).catch(fail);
    } catch (error) {
      fail(error);
    }
  });
}
