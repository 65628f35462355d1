import { Child } from "../method/child.ts";
import { SERVER_CORE } from "../method/cores.ts";
import {
  added,
  type Contender,
  compare,
  cpuPerOperation,
  figure,
  interleave,
  type Sample,
} from "../method/rounds.ts";
import { atMost, range } from "../report/finding.ts";
import type { Row } from "./row.ts";

const SESSIONS = 1000;
const VARIANTS = ["bare", "floor-sha", "ours", "hono-sessions", "hono-sessions-log"];

/** T3: a request that never leaves the process. */
export const row: Row = {
  name: "hono-fetch",
  targets: ["T3"],
  run: async ({ pace, say }) => {
    say("Hono app.fetch in process");
    const workers = VARIANTS.map((variant) => new FetchWorker(variant));
    try {
      for (const worker of workers) await worker.begin();
      const samples = await interleave(workers, pace);
      await workers.find(({ name }) => name === "ours")?.checkCounts();
      const adds = compare(samples, "ours", "bare", added);
      return {
        tables: [
          {
            title: "Hono `app.fetch` in process, the `Request` included",
            columns: ["variant", "µs CPU a request", "adds µs"],
            rows: VARIANTS.map((name) => [
              name,
              range(figure(samples, name, cpuPerOperation)),
              name === "bare" ? "" : range(compare(samples, name, "bare", added)),
            ]),
          },
        ],
        findings: [
          atMost({
            target: "T3",
            subject: "Hono app.fetch in process: added",
            value: adds.median,
            spread: adds,
            limit: 2.5,
            unit: "µs",
          }),
        ],
        notes: [],
      };
    } finally {
      for (const worker of workers) await worker.stop();
    }
  },
};

class FetchWorker implements Contender {
  readonly name: string;
  readonly #child: Child;
  #asked = 0;
  #trackedBefore = 0;

  constructor(name: string) {
    this.name = name;
    this.#child = new Child(new URL("../workers/hono-fetch.ts", import.meta.url), {
      core: SERVER_CORE,
      args: [name],
    });
  }

  async begin(): Promise<void> {
    await this.#child.ask("begin", SESSIONS);
    this.#trackedBefore = (await this.#child.ask<number | null>("tracked")) ?? 0;
  }

  async run(milliseconds: number): Promise<Sample> {
    const sample = await this.#child.ask<Sample>("run", milliseconds);
    this.#asked += sample.operations;
    return sample;
  }

  async checkCounts(): Promise<void> {
    const counted = (await this.#child.ask<number>("tracked")) - this.#trackedBefore;
    if (counted !== this.#asked) {
      throw new Error(`${this.name} is wrong: it counted ${counted} of ${this.#asked} requests.`);
    }
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
