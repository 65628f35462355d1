import type { MaybePromise, SessionStore, StoreCapabilities } from "../../src/store.ts";
import { type StoreMethod, wrappedStore } from "./wrapped-store.ts";

/** A call that is being held up. */
export interface Held {
  /** Resolves when the call has come to the gate. */
  readonly arrived: Promise<void>;
  /** Lets it go on. */
  release(): void;
}

interface Gate {
  readonly method: StoreMethod;
  readonly place: "before" | "after";
  readonly open: Promise<void>;
  arrive(): void;
}

/**
 * A store that answers later, as one behind a network does, and that holds up single calls: `before` they reach the
 * store, or `after`, when it has done its work and the answer is on its way.
 */
export class GatedStore {
  readonly store: SessionStore;
  readonly #gates: Gate[] = [];

  constructor(inner: SessionStore, capabilities: Partial<StoreCapabilities> = {}) {
    this.store = wrappedStore(inner, (method, run) => this.#pass(method, run), capabilities);
  }

  /** Holds up the next call of this method. */
  hold(method: StoreMethod, place: "before" | "after" = "before"): Held {
    const arrived = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    this.#gates.push({ method, place, open: open.promise, arrive: arrived.resolve });
    return { arrived: arrived.promise, release: () => open.resolve() };
  }

  async #pass<Result>(method: StoreMethod, run: () => MaybePromise<Result>): Promise<Result> {
    const index = this.#gates.findIndex((gate) => gate.method === method);
    const [gate] = index === -1 ? [] : this.#gates.splice(index, 1);
    if (gate?.place === "before") {
      gate.arrive();
      await gate.open;
    } else await Promise.resolve();
    const result = await run();
    if (gate?.place === "after") {
      gate.arrive();
      await gate.open;
    }
    return result;
  }
}
