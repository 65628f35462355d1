/** Milliseconds between two looks. */
const TICK = 5;

/**
 * Looks at the event loop every few milliseconds. A look that comes late means that this process computed, or that the
 * machine gave the processor to others; the processor time that was used meanwhile tells the one from the other.
 */
export class LoopWatch {
  readonly #timer: ReturnType<typeof setInterval>;
  #at: number = performance.now();
  #cpu = cpuTime();
  #longest = 0;
  #stolen = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), TICK);
    this.#timer.unref();
  }

  /** Longest time that this process kept its event loop busy since the last call, milliseconds. */
  takeLongest(): number {
    this.#look();
    const longest = this.#longest;
    this.#longest = 0;
    return longest;
  }

  /** Milliseconds so far in which the event loop was late without this process having computed. */
  stolen(): number {
    this.#look();
    return this.#stolen;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const cpu = cpuTime();
    const late = Math.max(0, now - this.#at - TICK);
    const own = Math.min(late, cpu - this.#cpu);
    this.#longest = Math.max(this.#longest, own);
    this.#stolen += late - own;
    this.#at = now;
    this.#cpu = cpu;
  }
}

/** Milliseconds of the processor that this thread has used; of the process, where Node cannot tell. */
function cpuTime(): number {
  // From Node 23.9 on.
  const { threadCpuUsage = process.cpuUsage }: Partial<Pick<typeof process, "threadCpuUsage">> =
    process;
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1000;
}
