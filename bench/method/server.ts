import { setTimeout as pause } from "node:timers/promises";
import type { Answer } from "../load/connection.ts";
import type { RunOrder, RunReport } from "../load/main.ts";
import type { Profile, Timeline } from "../servers/variant.ts";
import { Child } from "./child.ts";
import { LOAD_CORE, SERVER_CORE } from "./cores.ts";
import type { Contender, Sample } from "./rounds.ts";

/** Requests under way at the same time. */
const CONNECTIONS = 32;

/** How a variant is known to be right, before and after it is timed. */
export interface Expectations {
  /** It knows its clients; a bare host does not. */
  readonly knowsUsers: boolean;
  /** It keeps a timeline, of at least this many lines after as many requests. */
  readonly lines: number;
  /** It counts every request. */
  readonly counts: boolean;
  /** What it observes reaches the store a moment later, so that the checks ask again for a while. */
  readonly settles?: boolean;
  /** A database shares the core of the load generator. */
  readonly sharesLoadCore?: boolean;
}

/** Milliseconds that observations are given to reach their store. */
const PATIENCE = 10_000;

/** The process that makes the requests, on its own core. */
export class LoadGenerator {
  readonly #child = new Child(new URL("../load/main.ts", import.meta.url), { core: LOAD_CORE });

  signIn(port: number, count: number): Promise<void> {
    return this.#child.ask("signIn", { port, count });
  }

  get(order: { port: number; path: string; client?: number; cookie?: string }): Promise<Answer> {
    return this.#child.ask("get", order);
  }

  run(order: RunOrder): Promise<RunReport> {
    return this.#child.ask("run", order);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** One variant in its own process. */
export class ServerUnderTest implements Contender {
  readonly name: string;
  readonly #child: Child;
  readonly #load: LoadGenerator;
  readonly #expected: Expectations;
  #port = 0;
  #sent = 0;
  #countedBefore = 0;
  #latencies: RunReport[] = [];

  constructor(options: {
    host: string;
    variant: string;
    load: LoadGenerator;
    expected: Expectations;
    args?: readonly string[];
    nodeArgs?: readonly string[];
  }) {
    this.name = options.variant;
    this.#load = options.load;
    this.#expected = options.expected;
    this.#child = new Child(new URL("../servers/main.ts", import.meta.url), {
      core: SERVER_CORE,
      args: [options.host, options.variant, ...(options.args ?? [])],
      ...(options.nodeArgs === undefined ? {} : { nodeArgs: options.nodeArgs }),
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Starts it, signs its clients in, and checks that it answers right. */
  async begin(clients: number): Promise<void> {
    this.#port = await this.#child.ask<number>("port");
    await this.#load.signIn(this.#port, clients);
    await this.#checkAnswers(clients);
    // What signing in and checking left behind must not count among what is sent from here on.
    if (this.#expected.settles === true) await pause(2500);
    this.#countedBefore = await this.#counted();
  }

  async run(milliseconds: number): Promise<Sample> {
    const before = await this.#child.ask<number>("cpu");
    const ownsCore = this.#expected.sharesLoadCore !== true;
    const order = { port: this.#port, milliseconds, connections: CONNECTIONS, path: "/", ownsCore };
    const report = await this.#load.run(order);
    const cpuMicros = (await this.#child.ask<number>("cpu")) - before;
    this.#sent += report.requests;
    this.#latencies.push(report);
    return { operations: report.requests, cpuMicros, wallMillis: report.wallMillis };
  }

  /** p50 of each slice, milliseconds. */
  get latencies(): readonly number[] {
    return this.#latencies.map(({ p50 }) => p50);
  }

  /** Checks that nothing was lost on the way: every request that was sent has been counted. */
  async checkCounts(): Promise<void> {
    if (!this.#expected.counts) return;
    const counted = await this.#eventually(
      async () => (await this.#counted()) - this.#countedBefore,
      (count) => count >= this.#sent,
    );
    if (counted !== this.#sent) this.#wrong(`counted ${counted} of ${this.#sent} requests`);
  }

  ask<Answer>(name: string, payload?: unknown): Promise<Answer> {
    return this.#child.ask<Answer>(name, payload);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  /** What is answered now, or, where observations are written behind, when it is as it should be. */
  async #eventually(
    ask: () => Promise<number>,
    isRight: (answer: number) => boolean,
  ): Promise<number> {
    const giveUpAt = performance.now() + PATIENCE;
    for (;;) {
      const answer = await ask();
      if (isRight(answer) || this.#expected.settles !== true || performance.now() > giveUpAt) {
        return answer;
      }
      await pause(100);
    }
  }

  async #counted(): Promise<number> {
    return (await this.#child.ask<number | null>("tracked")) ?? 0;
  }

  async #checkAnswers(clients: number): Promise<void> {
    const port = this.#port;
    const { knowsUsers, lines } = this.#expected;
    for (const client of [0, 7, clients - 1]) {
      for (let request = 0; request < 3; request++) {
        const { user } = await this.#json<Profile>({ port, path: "/", client });
        const expected = knowsUsers ? `u${client}` : "u0";
        if (user !== expected) this.#wrong(`took client ${client} for ${user}`);
      }
      if (lines === 0) continue;
      const entries = await this.#eventually(
        async () => (await this.#json<Timeline>({ port, path: "/log", client })).entries,
        (count) => count >= lines,
      );
      if (entries < lines) this.#wrong(`kept ${entries} lines after ${lines} requests`);
    }
    if (!knowsUsers) return;
    const stranger = await this.#json<Profile>({ port, path: "/", cookie: "sid=made-up" });
    if (stranger.user !== undefined) this.#wrong(`took a stranger for ${stranger.user}`);
  }

  async #json<Body>(order: Parameters<LoadGenerator["get"]>[0]): Promise<Body> {
    const answer = await this.#load.get(order);
    if (answer.status !== 200) this.#wrong(`answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body) as Body;
  }

  #wrong(what: string): never {
    throw new Error(`${this.name} is wrong and is not timed: it ${what}.`);
  }
}
