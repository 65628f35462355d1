import { deferred } from "./deferred.ts";
import { type Patience, within } from "./patience.ts";

/**
 * A door that a case opens. What a request does is held up there: a handler, or a call of the store. So the case
 * decides what comes before what, and nothing depends on how fast the machine is.
 */
export class Gate {
  readonly #patience: Patience;
  readonly #expected: number;
  readonly #reached = deferred();
  readonly #opened = deferred();
  #arrivals = 0;

  /** `expected`: how many have to stand before it until `reached` is done. */
  constructor(patience: Patience, expected = 1) {
    this.#patience = patience;
    this.#expected = expected;
  }

  /** Waits until the gate is open. */
  async pass(): Promise<void> {
    this.#arrivals += 1;
    if (this.#arrivals === this.#expected) this.#reached.resolve();
    await this.#opened.promise;
  }

  /** Waits until as many as expected stand before it. */
  reached(): Promise<void> {
    return within(
      this.#patience,
      this.#reached.promise,
      () => `${this.#arrivals} of ${this.#expected} came to the gate`,
    );
  }

  open(): void {
    this.#opened.resolve();
  }
}
