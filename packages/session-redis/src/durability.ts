import type { EndReason } from "@kyb/session-core/store";
import type { RedisConnection, Witness } from "./connection.ts";
import { invalidOption } from "./refusals.ts";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import { encodeText } from "./text-code.ts";

/** Milliseconds for which an end that is not confirmed is looked after. */
const MEMORY = 60_000;
/** Milliseconds between two looks. */
const INTERVAL = 1000;
/** Ends that are remembered at most; the oldest give way. */
const MOST = 10_000;
/** Sessions that are ended again in one step. */
const STEP = 500;

interface Journaled {
  readonly id: string;
  readonly reason: EndReason;
  readonly at: number;
  /** The history that the server had when the end was last carried out there. */
  history: string | undefined;
}

/**
 * What makes an end last. With `replicas` configured, an end is `durable` when that many have it. Every other one is
 * remembered for a minute, and carried out again where the server turns out to have another history than before: a
 * replica that had not heard of it was promoted, or the server came back with an old snapshot.
 */
export class Durability {
  readonly #connection: RedisConnection;
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #replicas: number;
  readonly #timeout: number;
  readonly #journal = new Map<string, Journaled>();
  #witness: Promise<Witness> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    connection: RedisConnection,
    shards: Shards,
    runner: ScriptRunner,
    options: { readonly replicas: number; readonly replicaTimeout: number },
  ) {
    this.#connection = connection;
    this.#shards = shards;
    this.#runner = runner;
    if (options.replicas > 0 && connection.witness === undefined) {
      throw invalidOption(
        "replicas",
        "0 with the Sentinel client of redis 5, which cannot wait for replicas (redis 6 and ioredis can)",
        options.replicas,
      );
    }
    this.#replicas = options.replicas;
    this.#timeout = options.replicaTimeout;
  }

  /** These sessions were ended just now: whether that is durable. Never rejects, as the ends stand. */
  async confirm(ids: readonly string[], reason: EndReason): Promise<boolean> {
    if (ids.length === 0) return this.#replicas > 0;
    const parts = this.#shards.group(ids, (id) => id);
    const confirmed = await Promise.all(
      Array.from(parts.keys(), async (shard) => [shard, await this.#isConfirmed(shard)] as const),
    );
    let isDurable = true;
    for (const [shard, isShard] of confirmed) {
      if (isShard) continue;
      isDurable = false;
      for (const id of parts.get(shard) ?? []) this.#remember(id, reason);
    }
    return isDurable;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#journal.clear();
    try {
      await (await this.#witness)?.close();
    } catch {
      // It never came about, or is gone already.
    }
  }

  /**
   * Waits on a connection of its own, which nobody else is held up by. A write on it comes after the end in the
   * primary's history, so replicas that have it have the end. Whether that connection takes long to make or its server
   * is silent, nobody waits for longer than `replicaTimeout`: the end stands, and only its confirmation is missing.
   */
  async #isConfirmed(shard: number): Promise<boolean> {
    if (this.#replicas === 0) return false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, this.#timeout, false);
    });
    try {
      return await Promise.race([this.#askReplicas(shard), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Never rejects. */
  async #askReplicas(shard: number): Promise<boolean> {
    const key = `${this.#shards.base(shard)}wait`;
    try {
      this.#witness ??= this.#connection.witness?.();
      const count = await (await this.#witness)?.confirm(key, this.#replicas, this.#timeout);
      return count !== undefined && count >= this.#replicas;
    } catch {
      // Nobody confirmed it. That is the answer, and the journal looks after the rest.
      this.#witness = undefined;
      return false;
    }
  }

  #remember(id: string, reason: EndReason): void {
    this.#journal.delete(id);
    this.#journal.set(id, { id, reason, at: performance.now(), history: undefined });
    if (this.#journal.size > MOST) {
      const [oldest] = this.#journal.keys();
      if (oldest !== undefined) this.#journal.delete(oldest);
    }
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#journal.size === 0) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = undefined;
        this.#lookLater();
      });
    }, INTERVAL);
    this.#timer.unref();
  }

  /** Never rejects: a shard that cannot be reached is looked at again. */
  async #look(): Promise<void> {
    const now = performance.now();
    for (const { id, at } of this.#journal.values()) {
      if (now - at < MEMORY) break;
      this.#journal.delete(id);
    }
    const parts = this.#shards.group(this.#journal.values(), ({ id }) => id);
    await Promise.all(
      [...parts].map(async ([shard, ends]) => {
        try {
          await this.#repeat(shard, ends);
        } catch {
          // The server is not there yet. What it comes back with is seen by its history.
        }
      }),
    );
  }

  async #repeat(shard: number, ends: readonly Journaled[]): Promise<void> {
    const base = this.#shards.base(shard);
    const history = historyIn(await this.#connection.send(base, ["INFO"]));
    const again = ends.filter((end) => end.history !== history);
    for (let from = 0; from < again.length; from += STEP) {
      const piece = again.slice(from, from + STEP);
      const args = piece.flatMap(({ id, reason }) => [encodeText(id), reason]);
      await this.#runner.run("endAgain", base, args);
      for (const end of piece) end.history = history;
    }
  }
}

/** Changes with every promotion and every restart. */
function historyIn(info: unknown): string {
  const text = String(info);
  const run = /^run_id:(\w+)/m.exec(text)?.[1];
  const replication = /^master_replid:(\w+)/m.exec(text)?.[1];
  return `${run} ${replication}`;
}
