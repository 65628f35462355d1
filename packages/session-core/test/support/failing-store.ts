import type { MaybePromise, SessionStore, StoreCapabilities } from "../../src/store.ts";
import { type StoreMethod, wrappedStore } from "./wrapped-store.ts";

/** `throws`: at once; `rejects`: later; `hangs`: never answers; `deaf`: does the work and never answers. */
export type Failure = "throws" | "rejects" | "hangs" | "deaf";

/** A store that fails as it is told. */
export class FailingStore {
  readonly store: SessionStore;
  readonly cause = new Error("the driver's own words");
  #failure: Failure | undefined;
  #methods: readonly StoreMethod[] | undefined;

  constructor(inner: SessionStore, capabilities: Partial<StoreCapabilities> = {}) {
    this.store = wrappedStore(inner, (method, run) => this.#answer(method, run), capabilities);
  }

  /** From now on these calls fail; all of them, where none is named. */
  fail(failure: Failure, ...methods: StoreMethod[]): void {
    this.#failure = failure;
    this.#methods = methods.length === 0 ? undefined : methods;
  }

  /** From now on all is well. */
  recover(): void {
    this.#failure = undefined;
  }

  #answer<Result>(method: StoreMethod, run: () => MaybePromise<Result>): MaybePromise<Result> {
    const isMeant = this.#methods?.includes(method) ?? true;
    if (this.#failure === undefined || !isMeant) return run();
    switch (this.#failure) {
      case "throws":
        throw this.cause;
      case "rejects":
        return Promise.reject(this.cause);
      case "deaf":
        run();
        return new Promise<never>(() => undefined);
      case "hangs":
        return new Promise<never>(() => undefined);
    }
  }
}
