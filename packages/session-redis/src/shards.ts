import { SessionError } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { storeError } from "./driver-errors.ts";
import { encodeText } from "./text-code.ts";

/**
 * Into which part a session belongs. All keys of a part carry its number as their hash tag, so that they lie in one
 * slot of a Cluster, where a script may touch all of them.
 */
export class Shards {
  readonly count: number;
  readonly #prefix: string;
  readonly #connection: RedisConnection;
  #isChecked = false;

  constructor(connection: RedisConnection, prefix: string, count: number) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.count = count;
  }

  get all(): readonly number[] {
    return Array.from({ length: this.count }, (_, shard) => shard);
  }

  ofSession(id: string): number {
    return this.count === 1 ? 0 : hash(id) % this.count;
  }

  /** Where a user's index lies. */
  ofUser(userId: string): number {
    return this.count === 1 ? 0 : hash(`user ${userId}`) % this.count;
  }

  /** Divides sessions by where they belong. */
  group<Item>(items: Iterable<Item>, idOf: (item: Item) => string): Map<number, Item[]> {
    const parts = new Map<number, Item[]>();
    for (const item of items) {
      const shard = this.ofSession(idOf(item));
      const part = parts.get(shard);
      if (part === undefined) parts.set(shard, [item]);
      else part.push(item);
    }
    return parts;
  }

  /** How all keys of a part begin. */
  base(shard: number): string {
    return `${this.#prefix}{${shard}}:`;
  }

  recordKey(id: string): string {
    return `${this.base(this.ofSession(id))}s:${encodeText(id)}`;
  }

  /** Before the first use: whether what is stored was divided into as many parts. Costs nothing afterwards. */
  check(): Promise<void> | undefined {
    return this.#isChecked ? undefined : this.#check();
  }

  async #check(): Promise<void> {
    const key = `${this.base(0)}meta`;
    let stored: unknown;
    try {
      stored = await this.#connection.send(key, ["HGET", key, "shards"]);
      if (stored === null || stored === undefined) {
        // Only now: a Redis that is full refuses every write, and sessions can still be read and ended.
        await this.#connection.send(key, ["HSETNX", key, "shards", String(this.count)]);
        stored = await this.#connection.send(key, ["HGET", key, "shards"]);
      }
    } catch (error) {
      throw storeError(error);
    }
    if (String(stored) !== String(this.count)) {
      throw new SessionError(
        "STORE_MISCONFIGURED",
        `The sessions under this prefix are divided into ${String(stored)} shards and this store was made for ${this.count}: set shards to ${String(stored)}, or use another prefix.`,
      );
    }
    this.#isChecked = true;
  }
}

/** FNV-1a, 32 bits, mixed once more so that its low bits are as good as its high ones. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
