import type { SessionStore } from "../../src/store.ts";
import { type StoreMethod, wrappedStore } from "./wrapped-store.ts";

/** A store that counts what it is asked. */
export class CountingStore {
  readonly store: SessionStore;
  readonly #calls: StoreMethod[] = [];

  constructor(inner: SessionStore) {
    this.store = wrappedStore(inner, (method, run) => {
      this.#calls.push(method);
      return run();
    });
  }

  /** The calls since the last look, in order. */
  take(): StoreMethod[] {
    return this.#calls.splice(0);
  }
}
