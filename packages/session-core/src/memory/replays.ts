import type { Entry } from "./entry.ts";

/** Commits that a session remembers. */
const OP_IDS = 4;
/** Managers whose batches are remembered; the one that was heard of first is forgotten first. */
const INSTANCES = 1024;

/** Whether this change was made already. */
export function wasCommitted(entry: Entry, opId: string): boolean {
  return entry.opIds?.includes(opId) === true;
}

export function rememberCommit(entry: Entry, opId: string): void {
  entry.opIds = [opId, ...(entry.opIds ?? [])].slice(0, OP_IDS);
}

/** Tells repeated batches of observations from new ones. */
export class BatchMemory {
  readonly #highest = new Map<string, number>();

  /**
   * Whether the batch is new; notes it. The number 0 is that of an observation which is sent by itself and is
   * harmless to repeat.
   */
  accept(instance: string, sequence: number): boolean {
    if (sequence === 0) return true;
    const highest = this.#highest.get(instance);
    if (highest !== undefined && sequence <= highest) return false;
    if (highest === undefined && this.#highest.size >= INSTANCES) {
      const [first] = this.#highest.keys();
      if (first !== undefined) this.#highest.delete(first);
    }
    this.#highest.set(instance, sequence);
    return true;
  }
}
