import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";

/** Milliseconds between two looks. */
const INTERVAL = 1000;

/**
 * The highest number of live sessions where they are spread over shards: no step sees all of them, so they are added
 * up at most once a second while sessions are made.
 */
export class PeakWatch {
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(shards: Shards, runner: ScriptRunner) {
    this.#shards = shards;
    this.#runner = runner;
  }

  /** A session was made. */
  created(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look().catch(() => {
        // The next session that is made asks again.
      });
    }, INTERVAL);
    this.#timer.unref();
  }

  /** What is known now: the peak and when it was. */
  async raise(active: number): Promise<{ peakSessions: number; peakSessionsTime: number }> {
    const { values } = await this.#runner.run("peak", this.#shards.base(0), [active]);
    return { peakSessions: Number(values[0]), peakSessionsTime: Number(values[1]) };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const rooms = await Promise.all(
      this.#shards.all.map((shard) => this.#runner.run("room", this.#shards.base(shard), [])),
    );
    await this.raise(rooms.reduce((sum, { values }) => sum + Number(values[0]), 0));
  }
}
