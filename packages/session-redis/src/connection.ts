/**
 * What the store needs of a driver. Replies are as RESP2 has them: texts, numbers, null, and lists of these.
 *
 * Commands of one tick travel together. Nothing is sent to a replica, and nothing waits for a connection: what
 * cannot be sent now is refused now, because a command that is executed long after its caller has given up is a hazard.
 */
export interface RedisConnection {
  readonly isCluster: boolean;
  /**
   * Sends one command to the primary that owns `key`. Rejects with `STORE_UNAVAILABLE` where it is not connected, else
   * with the driver's error.
   */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /**
   * Hears a channel over a connection of its own, which is opened now and comes back by itself when it is lost.
   * Resolves when messages arrive, with the way to close it.
   */
  listen(channel: string, hear: (message: string) => void): Promise<() => Promise<void>>;
  /**
   * Opens a connection beside this one, on which nobody is held up by what waits. Undefined: this client cannot be
   * asked for another connection.
   */
  readonly witness: (() => Promise<Witness>) | undefined;
}

/** Asks replicas what they have. */
export interface Witness {
  /**
   * Writes `key` and waits until so many replicas have it, and with it everything that its primary was told before;
   * answers how many have. Both on one connection of one node, or it rejects: elsewhere the answer would mean nothing.
   */
  confirm(key: string, replicas: number, milliseconds: number): Promise<number>;
  close(): Promise<void>;
}

/** Redis that is full refuses to set a key, but for a script that has begun with something that needs no room. */
const WRITE = "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], '1', 'PX', 60000)";

/** What {@link Witness.confirm} sends, in one go. */
export async function confirmOn(
  send: (args: readonly string[]) => Promise<unknown>,
  key: string,
  replicas: number,
  milliseconds: number,
): Promise<number> {
  const [, count] = await Promise.all([
    send(["EVAL", WRITE, "1", key]),
    send(["WAIT", String(replicas), String(milliseconds)]),
  ]);
  return Number(count);
}
