/** How far the server's clock is ahead of this process's, as its answers say. */
export class ServerClock {
  #offset = 0;

  /** Milliseconds. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * An answer was made at `time` of the server's clock, between `before` and `after` of ours. The offset moves only as
   * far as it must to agree with that, so slow answers do not disturb it.
   */
  learn(time: number, before: number, after: number): void {
    this.#offset = Math.min(Math.max(this.#offset, time - after), time - before);
  }
}
