import type { SessionStore, StoreCall } from "@kyb/session-core/store";

/** How a store is used: calls that are under way, until they are answered or their caller has given up. */
export class CallWatch {
  #inFlight = 0;
  #most = 0;
  #calls = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What came since the last call of this: how many calls, and how many of them at the same time at most. */
  take(): { readonly calls: number; readonly most: number } {
    const taken = { calls: this.#calls, most: this.#most };
    this.#calls = 0;
    this.#most = this.#inFlight;
    return taken;
  }

  begin(signal: AbortSignal): () => void {
    this.#calls += 1;
    this.#inFlight += 1;
    this.#most = Math.max(this.#most, this.#inFlight);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      this.#inFlight -= 1;
    };
    signal.addEventListener("abort", end, { once: true });
    return end;
  }
}

/** The same store, with every call counted. */
export function watched(store: SessionStore, watch: CallWatch): SessionStore {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]): unknown => {
        const call = args.find(isCall);
        if (call === undefined) return Reflect.apply(value, target, args);
        const end = watch.begin(call.signal);
        let answer: unknown;
        try {
          answer = Reflect.apply(value, target, args);
        } finally {
          // Both ways: a rejection is the caller's to handle, this one only counts.
          if (answer instanceof Promise) answer.then(end, end);
          else end();
        }
        return answer;
      };
    },
  });
}

function isCall(value: unknown): value is StoreCall {
  return typeof value === "object" && value !== null && "signal" in value;
}
