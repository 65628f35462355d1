import { memoryStore } from "@kyb/session-core";
import type { SessionStore } from "@kyb/session-core/store";

type Method = "find" | "create" | "commit";

const METHODS: ReadonlySet<unknown> = new Set<Method>(["find", "create", "commit"]);

/** A call that waits for the test. */
export interface HeldCall {
  /** Resolves when the call has come. */
  readonly arrived: Promise<void>;
  /** Lets it go on, or fail. */
  release(error?: Error): void;
}

/** The memory store behind a network: it answers later, and the test says how much later. */
export class RemoteStore {
  readonly store: SessionStore;
  readonly calls: string[] = [];
  readonly #held: { method: Method; arrive: () => void; go: Promise<void> }[] = [];
  #broken: Method | undefined;

  constructor() {
    this.store = new Proxy<SessionStore>(memoryStore(), {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
        if (!METHODS.has(key)) return call;
        return (...args: unknown[]) => this.#pass(key as Method, () => call(...args));
      },
    });
  }

  /** Holds up the next call of this method. */
  hold(method: Method): HeldCall {
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    this.#held.push({ method, arrive: arrived.resolve, go: go.promise });
    return {
      arrived: arrived.promise,
      release: (error) => (error === undefined ? go.resolve() : go.reject(error)),
    };
  }

  /** From now on, every call of this method fails. */
  break(method: Method): void {
    this.#broken = method;
  }

  count(method: Method): number {
    return this.calls.filter((call) => call === method).length;
  }

  async #pass(method: Method, run: () => unknown): Promise<unknown> {
    this.calls.push(method);
    const at = this.#held.findIndex((held) => held.method === method);
    const [held] = at === -1 ? [] : this.#held.splice(at, 1);
    held?.arrive();
    await held?.go;
    if (this.#broken === method) throw new Error("The store is out of order.");
    return run();
  }
}
