import { type Profiler, Session } from "node:inspector/promises";

/** Where this process spends its time, between two questions of the parent. */
export class ProcessProfiler {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.setSamplingInterval", { interval: 500 });
    await this.#session.post("Profiler.start");
  }

  async stop(): Promise<Profiler.Profile> {
    const { profile } = await this.#session.post("Profiler.stop");
    this.#session.disconnect();
    return profile;
  }
}
