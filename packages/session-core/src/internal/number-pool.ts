interface Chunk {
  /** Numbers that came back, a stack. */
  readonly returned: Uint16Array;
  returnedCount: number;
  /** How many were ever handed out. */
  touched: number;
  used: number;
}

/** Makes and lets go of what the numbers of a chunk stand for. */
export interface ChunkOwner {
  open(chunk: number): void;
  close(chunk: number): void;
}

/**
 * Hands out whole numbers and takes them back, for places in memory that is allocated in chunks. A chunk nobody uses
 * any more is closed, so that what a flood of sessions took is given back after it.
 */
export class NumberPool {
  readonly #size: number;
  readonly #owner: ChunkOwner;
  readonly #chunks: (Chunk | undefined)[] = [];
  /** Numbers of the chunks with room. */
  readonly #roomy: number[] = [];

  /** `size` numbers make a chunk, at most 65,536. */
  constructor(size: number, owner: ChunkOwner) {
    this.#size = size;
    this.#owner = owner;
  }

  take(): number {
    const number = this.#roomy.at(-1) ?? this.#open();
    const chunk = this.#chunks[number] as Chunk;
    const index =
      chunk.returnedCount === 0
        ? chunk.touched++
        : (chunk.returned[--chunk.returnedCount] as number);
    chunk.used++;
    if (chunk.used === this.#size) this.#roomy.pop();
    return number * this.#size + index;
  }

  giveBack(taken: number): void {
    const number = Math.floor(taken / this.#size);
    const chunk = this.#chunks[number] as Chunk;
    if (chunk.used === this.#size) this.#roomy.push(number);
    chunk.returned[chunk.returnedCount++] = taken % this.#size;
    chunk.used--;
    // The last chunk with room stays: else a single number could open and close it again and again.
    if (chunk.used > 0 || this.#roomy.length === 1) return;
    this.#roomy.splice(this.#roomy.indexOf(number), 1);
    this.#chunks[number] = undefined;
    this.#owner.close(number);
  }

  #open(): number {
    const gap = this.#chunks.indexOf(undefined);
    const number = gap === -1 ? this.#chunks.length : gap;
    const returned = new Uint16Array(this.#size);
    this.#chunks[number] = { returned, returnedCount: 0, touched: 0, used: 0 };
    this.#roomy.push(number);
    this.#owner.open(number);
    return number;
  }
}
