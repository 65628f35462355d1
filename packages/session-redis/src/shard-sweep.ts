import type { StoreCall, SweepResult } from "@kyb/session-core/store";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import { FORGET_STEP, type SpreadIndex } from "./spread-index.ts";

/** Sessions that one step looks at: if all of them end, Redis is busy for some milliseconds at most. */
const STEP = 40;

/** Sweeps shard by shard. Each sweep goes on where the last one stopped, so that every shard has its turn. */
export class ShardSweep {
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #index: SpreadIndex | undefined;
  /** How many ended sessions each shard had when it was swept last. */
  readonly #kept: number[] = [];
  #next = 0;

  /** `index`: where sessions are spread over several shards. */
  constructor(shards: Shards, runner: ScriptRunner, index: SpreadIndex | undefined) {
    this.#shards = shards;
    this.#runner = runner;
    this.#index = index;
  }

  /** Until nothing is left, or until `stopAt` by `performance.now()`. */
  async run(stopAt: number, call: StoreCall): Promise<SweepResult> {
    const { count } = this.#shards;
    let ended = 0;
    for (let done = 0; done < count; ) {
      const shard = this.#next;
      const base = this.#shards.base(shard);
      const { status, values } = await this.#runner.run("sweep", base, [STEP], { call });
      const [more, moves, kept] = values;
      ended += Number(status);
      this.#kept[shard] = Number(kept);
      if (moves === "1") await this.#index?.follow([shard]);
      if (more === "0") {
        await this.#index?.heal(shard);
        this.#next = (shard + 1) % count;
        done++;
      }
      if (done < count && (performance.now() >= stopAt || call.signal.aborted)) {
        return { ended, more: true };
      }
    }
    return { ended, more: await this.#forgetOldest() };
  }

  /** Which sessions ended first no single shard knows. Answers whether some are left to forget. */
  async #forgetOldest(): Promise<boolean> {
    if (this.#index === undefined) return false;
    const kept = this.#kept.reduce((sum, each) => sum + each, 0);
    const excess = kept - (this.#runner.settings.maxEnded ?? Number.POSITIVE_INFINITY);
    await this.#index.forgetOldest(excess);
    return excess > FORGET_STEP;
  }
}
