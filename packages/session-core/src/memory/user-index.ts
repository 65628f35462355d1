import { ShardedMap } from "../internal/sharded-map.ts";
import type { Entry } from "./entry.ts";

/**
 * The sessions of each user. Most users have one session; a set for each of them would cost more than the session's
 * place in all the other indexes together.
 */
export class UserIndex {
  readonly #users = new ShardedMap<Entry | Set<Entry>>();

  add(userId: string, entry: Entry): void {
    const held = this.#users.get(userId);
    if (held === undefined) this.#users.set(userId, entry);
    else if (held instanceof Set) held.add(entry);
    else this.#users.set(userId, new Set([held, entry]));
  }

  remove(userId: string, entry: Entry): void {
    const held = this.#users.get(userId);
    if (held === entry) this.#users.delete(userId);
    if (!(held instanceof Set)) return;
    held.delete(entry);
    if (held.size > 1) return;
    const [last] = held;
    if (last === undefined) this.#users.delete(userId);
    else this.#users.set(userId, last);
  }

  count(userId: string): number {
    const held = this.#users.get(userId);
    if (held === undefined) return 0;
    return held instanceof Set ? held.size : 1;
  }

  /** A copy, which stays as it is while sessions end. */
  of(userId: string): Entry[] {
    const held = this.#users.get(userId);
    if (held === undefined) return [];
    return held instanceof Set ? [...held] : [held];
  }
}
