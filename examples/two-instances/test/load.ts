/** How many visits of each instance are under way at any time. */
const LANES = 4;

/** Visits without a pause on every instance, until it is stopped, and what came of them. */
export class Load {
  /** Of each instance: when each visit was acknowledged, by `performance.now()`. */
  readonly acknowledged: readonly number[][];
  /** Visits whose instance was gone before it answered: nobody knows whether they took place. */
  unanswered = 0;
  readonly #visit: (instance: number) => Promise<Response>;
  readonly #lanes: readonly Promise<void>[];
  #isOver = false;

  constructor(instances: number, visit: (instance: number) => Promise<Response>) {
    this.#visit = visit;
    this.acknowledged = Array.from({ length: instances }, () => []);
    this.#lanes = this.acknowledged.flatMap((times, instance) =>
      Array.from({ length: LANES }, () => this.#run(instance, times)),
    );
  }

  /** Acknowledged visits, of all instances. */
  get total(): number {
    return this.acknowledged.flat().length;
  }

  /** How many visits an instance has acknowledged since then. */
  since(instance: number, time: number): number {
    return this.acknowledged[instance]?.filter((answeredAt) => answeredAt >= time).length ?? 0;
  }

  /** Ends it; what is under way is awaited. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
  }

  async #run(instance: number, times: number[]): Promise<void> {
    while (!this.#isOver) {
      try {
        const response = await this.#visit(instance);
        await response.text();
        if (!response.ok) throw new Error(`A visit was answered with ${response.status}.`);
        times.push(performance.now());
      } catch (error) {
        // fetch() says by this that there was no answer; anything else is a failure of the test.
        if (!(error instanceof TypeError)) throw error;
        this.unanswered++;
        return;
      }
    }
  }
}
