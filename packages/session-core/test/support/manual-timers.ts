interface Timer {
  readonly due: number;
  readonly run: () => void;
}

/** Stands in for the platform's timers, so that a test waits for nothing. Time moves by `advance` alone. */
export class ManualTimers {
  readonly #original = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  readonly #timers = new Map<number, Timer>();
  #now = 0;
  #next = 1;

  install(): void {
    Object.assign(globalThis, {
      setTimeout: (run: () => void, delay = 0): number => {
        const id = this.#next++;
        this.#timers.set(id, { due: this.#now + delay, run });
        return id;
      },
      clearTimeout: (id: number | undefined): void => {
        if (id !== undefined) this.#timers.delete(id);
      },
    });
  }

  uninstall(): void {
    Object.assign(globalThis, this.#original);
    this.#timers.clear();
  }

  /** Timers that have been set and have not run. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass: runs what falls due, in order, each with all that follows from it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (;;) {
      const [id, timer] = [...this.#timers]
        .filter(([, { due }]) => due <= end)
        .sort(([, a], [, b]) => a.due - b.due)[0] ?? [0, undefined];
      if (timer === undefined) break;
      this.#now = Math.max(this.#now, timer.due);
      this.#timers.delete(id);
      timer.run();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await undefined;
}
