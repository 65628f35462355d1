import { spawnSync } from "node:child_process";
import type { Place } from "../workers/service.ts";
import { Child, IS_PINNED } from "./child.ts";
import { LOAD_CORE } from "./cores.ts";

/** A throw-away Redis or Postgres, on the core of the load generator. */
export class Service {
  readonly place: Place;
  readonly #child: Child;

  private constructor(child: Child, place: Place) {
    this.#child = child;
    this.place = place;
  }

  static async start(kind: "redis" | "postgres"): Promise<Service> {
    const child = new Child(new URL("../workers/service.ts", import.meta.url));
    try {
      const place = await child.ask<Place>(kind);
      // With all its processes; what it starts later inherits the core.
      if (IS_PINNED) spawnSync("taskset", ["-acp", String(LOAD_CORE), String(place.pid)]);
      return new Service(child, place);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** Gives a Redis an order. */
  command<Answer>(...args: string[]): Promise<Answer> {
    return this.#child.ask<Answer>("command", args);
  }

  async stop(): Promise<void> {
    await this.#child.ask("stop");
    await this.#child.stop();
  }
}
