import { setImmediate as turn } from "node:timers/promises";
import { Stopwatch } from "./stopwatch.ts";

/** Measures how long the event loop stands still, longest first; milliseconds of this process's own work. */
export class Heartbeat {
  #isBeating = true;
  #longest = 0;
  readonly #watch = new Stopwatch();
  readonly #stopped: Promise<void>;

  constructor() {
    this.#stopped = this.#beat();
  }

  async stop(): Promise<number> {
    this.#isBeating = false;
    await this.#stopped;
    return this.#longest;
  }

  async #beat(): Promise<void> {
    while (this.#isBeating) {
      await turn();
      this.#longest = Math.max(this.#longest, this.#watch.lap());
    }
  }
}

/** Milliseconds of each of many calls. */
export async function timeEach(times: number, call: (index: number) => unknown): Promise<number[]> {
  const durations: number[] = [];
  const watch = new Stopwatch();
  for (let index = 0; index < times; index++) {
    watch.lap();
    await call(index);
    durations.push(watch.lap());
    if (index % 16 === 15) await turn();
  }
  return durations;
}
