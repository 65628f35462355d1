import { SessionError, type StoreCall, type StoreSettings } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { isUnknownScript, storeError } from "./driver-errors.ts";
import { MOVING } from "./lua/prelude.ts";
import type { StoreOptions } from "./options.ts";
import type { ScriptName, Scripts } from "./scripts.ts";
import { ServerClock } from "./server-clock.ts";

/**
 * Milliseconds after which a script that is executed at last does nothing: its caller has long been told that the store
 * is unavailable. Drivers send what was under way again after a reconnect.
 */
const TOO_LATE = 10_000;
/** Milliseconds before a script is tried again whose slot is on its way to another node: at first, and at most. */
const PAUSES = [2, 50] as const;

export interface ScriptReply {
  /** The store's time, epoch milliseconds. */
  readonly now: number;
  readonly status: string;
  readonly values: readonly unknown[];
}

export interface RunOptions {
  /** `c`: only say whether it can be done. `i`: look at an index alone. */
  readonly flags?: "c" | "i";
  /** The store's time after which it must not be done any more. */
  readonly latest?: number;
  /** For whom: while a slot moves, the script is tried again until this caller stops waiting. */
  readonly call?: StoreCall | undefined;
}

/** What of the configuration every script is told. */
export type ScriptSettings = Pick<StoreSettings, "metrics" | "endedRetention" | "maxEnded">;

/** Runs the scripts, each in the slot of one key, with the arguments that all of them have. */
export class ScriptRunner {
  readonly clock: ServerClock;
  readonly channel: string;
  settings: ScriptSettings = { metrics: true, endedRetention: 86_400_000, maxEnded: undefined };
  readonly #connection: RedisConnection;
  readonly #scripts: Scripts;
  readonly #testClock: StoreOptions["clock"];
  readonly #isWhole: boolean;
  readonly #digests = new Map<ScriptName, string>();

  /** `isWhole`: there is one shard, so that users' indexes lie beside their sessions. */
  constructor(
    connection: RedisConnection,
    scripts: Scripts,
    { prefix, clock }: Pick<StoreOptions, "prefix" | "clock">,
    isWhole: boolean,
  ) {
    this.#connection = connection;
    this.#scripts = scripts;
    this.#testClock = clock;
    this.#isWhole = isWhole;
    this.channel = `${prefix}events`;
    this.clock = new ServerClock();
  }

  /** The store's time as far as it is known here. */
  now(): number {
    return this.#testClock?.now() ?? this.clock.now();
  }

  async run(
    name: ScriptName,
    base: string,
    args: readonly (string | number)[],
    options: RunOptions = {},
  ): Promise<ScriptReply> {
    const digest = this.#digests.get(name) ?? (await this.#digest(name));
    const command = ["EVALSHA", digest, "1", base, ...this.#header(options), ...args.map(String)];
    const stopAt = performance.now() + TOO_LATE;
    const [first, longest] = PAUSES;
    for (let pause: number = first; ; pause = Math.min(2 * pause, longest)) {
      const reply = await this.#once(name, base, command);
      if (reply.status !== MOVING) return reply;
      // Read before waiting: the signal of a caller who has stopped waiting by then says so.
      const signal = options.call?.signal;
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
      if (signal?.aborted === true || performance.now() >= stopAt) throw stillMoving();
    }
  }

  async #once(name: ScriptName, base: string, command: readonly string[]): Promise<ScriptReply> {
    const sentAt = this.clock.local();
    const [time, status, ...values] = await this.#send(name, base, command);
    if (status === MOVING) return { now: 0, status: MOVING, values };
    const now = Number(time);
    this.clock.learn(now, sentAt);
    if (status !== "late") return { now, status: String(status), values };
    throw new SessionError(
      "STORE_UNAVAILABLE",
      "Redis carried out the command so late that it was ignored: the connection was held up, or a clock was set.",
    );
  }

  #header({ flags, latest = Number.POSITIVE_INFINITY }: RunOptions): string[] {
    const { metrics, endedRetention, maxEnded } = this.settings;
    const time = this.#testClock?.now();
    const isTimed = time === undefined && this.clock.isKnown;
    return [
      time === undefined ? "" : String(time),
      isTimed ? String(Math.min(latest, this.clock.now() + TOO_LATE)) : "",
      this.channel,
      `${metrics ? "m" : ""}${this.#isWhole ? "w" : ""}${flags ?? ""}`,
      numberOrNone(endedRetention),
      // Over several shards nobody but the sweep knows which ended first.
      this.#isWhole ? numberOrNone(maxEnded) : "",
    ];
  }

  async #send(name: ScriptName, base: string, command: readonly string[]): Promise<unknown[]> {
    try {
      return listOf(await this.#connection.send(base, command));
    } catch (error) {
      if (!isUnknownScript(error)) throw storeError(error);
    }
    try {
      // Nothing was executed, so that this is no second time (F-16). The server knows the script from now on.
      const [, , ...rest] = command;
      return listOf(await this.#connection.send(base, ["EVAL", this.#scripts[name], ...rest]));
    } catch (error) {
      throw storeError(error);
    }
  }

  async #digest(name: ScriptName): Promise<string> {
    const bytes = new TextEncoder().encode(this.#scripts[name]);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
    const digest = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#digests.set(name, digest);
    return digest;
  }
}

function stillMoving(): SessionError {
  return new SessionError(
    "STORE_UNAVAILABLE",
    "The slot of this session is being moved to another node of the Cluster, and takes no writes until it is there.",
  );
}

function listOf(reply: unknown): unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new SessionError("STORE_UNAVAILABLE", "Redis answered something that no script says.");
}

function numberOrNone(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? "" : String(value);
}
