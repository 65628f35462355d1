import type { Entry } from "./entry.ts";

/** Holes at the front before the array is cut. */
const SLACK = 1024;

/** Ended sessions in the order in which they ended. Only the oldest one ever leaves. */
export class EndedQueue {
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  /** Index of the first entry whose timeline has not been given up for room yet. */
  #withLog = 0;

  get size(): number {
    return this.#entries.length - this.#first;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  oldest(): Entry | undefined {
    return this.#entries[this.#first];
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#entries[this.#first++] = undefined;
    if (this.#first >= SLACK && this.#first * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#withLog = Math.max(0, this.#withLog - this.#first);
      this.#first = 0;
    }
    return entry;
  }

  /** The oldest one that has a timeline. Looks at each entry once, however often it is asked. */
  oldestWithLog(): Entry | undefined {
    this.#withLog = Math.max(this.#withLog, this.#first);
    for (; this.#withLog < this.#entries.length; this.#withLog++) {
      const entry = this.#entries[this.#withLog];
      if (entry !== undefined && entry.logCount > 0) return entry;
    }
    return undefined;
  }
}
