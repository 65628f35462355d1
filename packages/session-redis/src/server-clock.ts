/**
 * How far the server's clock is ahead of this process's, as learnt from its answers. An answer says that the server's time
 * lay between sending and hearing; what is believed changes only if that is impossible.
 */
export class ServerClock {
  /** This process's clock, epoch milliseconds. */
  local: () => number = Date.now;
  #offset: number | undefined;

  get isKnown(): boolean {
    return this.#offset !== undefined;
  }

  /** Milliseconds that the server is ahead; undefined until it has answered. */
  get offset(): number | undefined {
    return this.#offset;
  }

  now(): number {
    return this.local() + (this.#offset ?? 0);
  }

  /** The server said `serverTime` in answer to something sent at `sentAt` by this process's clock. */
  learn(serverTime: number, sentAt: number): void {
    // The server's time is cut to whole milliseconds.
    const least = serverTime - this.local();
    const most = serverTime + 1 - sentAt;
    if (this.#offset === undefined) this.#offset = Math.round((least + most) / 2);
    else if (this.#offset < least) this.#offset = least;
    else if (this.#offset > most) this.#offset = most;
  }
}
