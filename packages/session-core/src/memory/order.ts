import { NumberPool } from "../internal/number-pool.ts";
import type { Entry } from "./entry.ts";
import type { Slots } from "./slots.ts";

/** Entries after which a block takes no more of what comes later. */
const NOMINAL = 384;
/** Entries after which a block is split. A place is the block's number times this plus the index. */
const CAPACITY = 512;
const BLOCK_SHIFT = 9;
/** Neighbours with no more than this between them become one. */
const MERGED = 256;
/** Blocks whose cells lie in one array; a power of two. */
const CHUNK_BLOCKS = 32;
const CHUNK_SHIFT = 14;
const CHUNK_MASK: number = CHUNK_BLOCKS * CAPACITY - 1;
/** In a cell instead of a slot where an entry was taken out. */
const NOTHING = 0;

/** A position in an order. No two entries have the same. */
export interface OrderKey {
  readonly time: number;
  readonly id: string;
}

/**
 * Sessions in the order of a time that changes often, ties by id. A line of blocks, each for a stretch of time, sorted
 * among themselves but not within: that is done when somebody reads. So adding at the end and taking out are one
 * write each, whatever the number of entries, and a position is found by a binary search over the blocks.
 *
 * - A full block that would get a later entry than all it has is closed, and a new one begins: what comes in order
 *   is never sorted or moved. Only what comes out of order makes a block grow until it is split.
 * - An entry in the last block may get a later time without any work but {@link moved}.
 */
export class Order {
  readonly #slots: Slots;
  readonly #timeField: number;
  readonly #placeField: number;
  #size = 0;
  /** Numbers of the blocks, by time; never empty; the first one begins before everything. */
  readonly #line: number[] = [];
  // Of each block, by its number. It holds what lies from the key (time, id) on and before the key of the next one.
  readonly #times: number[] = [];
  readonly #ids: string[] = [];
  /** No entry of the block is later than this. */
  readonly #newest: number[] = [];
  /** Cells that were used since it was last put in order. */
  readonly #used: number[] = [];
  /** Those of them that hold an entry. */
  readonly #live: number[] = [];
  /** The cells of all blocks, one for each place. What is often written lies where the collector never looks. */
  readonly #cells: (Uint32Array | undefined)[] = [];
  readonly #numbers = new NumberPool(CHUNK_BLOCKS, {
    open: (chunk) => {
      this.#cells[chunk] = new Uint32Array(CHUNK_BLOCKS * CAPACITY);
    },
    close: (chunk) => {
      this.#cells[chunk] = undefined;
    },
  });

  /** The time is in one field of an entry's slot, the entry's place in this order is kept in another. */
  constructor(slots: Slots, timeField: number, placeField: number) {
    this.#slots = slots;
    this.#timeField = timeField;
    this.#placeField = placeField;
    this.#open(0, Number.NEGATIVE_INFINITY, "");
  }

  get size(): number {
    return this.#size;
  }

  add(entry: Entry): void {
    const { slot } = entry;
    const { id } = entry.state;
    const time = this.#time(slot);
    let block = this.#last();
    if (this.#isBefore(time, id, block)) block = this.#line[this.#find(time, id)] as number;
    if ((this.#used[block] as number) >= NOMINAL) block = this.#withRoom(block, time, id);
    this.#put(block, slot);
    if (time > (this.#newest[block] as number)) this.#newest[block] = time;
    this.#size++;
  }

  /** Takes out an entry; its time may have changed since it was added. */
  remove(entry: Entry): void {
    const place = this.#slots.word(entry.slot, this.#placeField);
    const block = place >>> BLOCK_SHIFT;
    this.#setCell(place, NOTHING);
    const live = (this.#live[block] as number) - 1;
    this.#live[block] = live;
    this.#size--;
    if (live === 0) this.#drop(block);
    else if ((live & 31) === 0) this.#mergeAround(block);
  }

  /** Has to be told when the time of an entry has grown. */
  moved(entry: Entry): void {
    const { slot } = entry;
    const block = this.#last();
    if (this.#slots.word(slot, this.#placeField) >>> BLOCK_SHIFT !== block) this.refile(entry);
    else this.#newest[block] = Math.max(this.#newest[block] as number, this.#time(slot));
  }

  /** Puts an entry where its time belongs now. */
  refile(entry: Entry): void {
    this.remove(entry);
    this.add(entry);
  }

  /** The earliest entry. Looks at one block. */
  first(): Entry | undefined {
    const block = this.#line[0] as number;
    const used = this.#used[block] as number;
    let first = NOTHING;
    for (let index = 0; index < used; index++) {
      const slot = this.#cell(block, index);
      if (slot !== NOTHING && (first === NOTHING || this.#compare(slot, first) < 0)) first = slot;
    }
    return first === NOTHING ? undefined : this.#slots.entry(first);
  }

  /** Some of the entries that are not later than `time`, in no order; none only if there are none. */
  someUntil(time: number): Entry[] {
    const block = this.#line[0] as number;
    const used = this.#used[block] as number;
    const entries: Entry[] = [];
    for (let index = 0; index < used; index++) {
      const slot = this.#cell(block, index);
      if (slot !== NOTHING && this.#time(slot) <= time) entries.push(this.#slots.entry(slot));
    }
    return entries;
  }

  /** The entries from after a position on, in lists of some hundred. Nothing may be added or removed meanwhile. */
  *walk(descending: boolean, after: OrderKey | undefined): Generator<Entry[]> {
    const step = descending ? -1 : 1;
    let index = descending ? this.#line.length - 1 : 0;
    if (after !== undefined) index = this.#find(after.time, after.id);
    for (let block = this.#line[index]; block !== undefined; block = this.#line[index]) {
      let slots = this.#sorted(this.#present(block));
      if (after !== undefined)
        slots = slots.filter((slot) => step * this.#compareKey(slot, after) > 0);
      if (descending) slots.reverse();
      yield slots.map((slot) => this.#slots.entry(slot));
      index += step;
    }
  }

  #time(slot: number): number {
    return this.#slots.number(slot, this.#timeField);
  }

  #compare(left: number, right: number): number {
    return this.#time(left) - this.#time(right) || this.#compareIds(left, right);
  }

  #sorted(slots: readonly number[]): number[] {
    // Each time is looked up once, not in every comparison.
    const keys = slots.map((slot) => ({ slot, time: this.#time(slot) }));
    keys.sort((left, right) => left.time - right.time || this.#compareIds(left.slot, right.slot));
    return keys.map(({ slot }) => slot);
  }

  #compareIds(left: number, right: number): number {
    return compareIds(this.#slots.entry(left).state.id, this.#slots.entry(right).state.id);
  }

  #compareKey(slot: number, key: OrderKey): number {
    return this.#time(slot) - key.time || compareIds(this.#slots.entry(slot).state.id, key.id);
  }

  /** Whether a key lies before the stretch of a block. */
  #isBefore(time: number, id: string, block: number): boolean {
    const from = this.#times[block] as number;
    return time < from || (time === from && id < (this.#ids[block] as string));
  }

  #last(): number {
    return this.#line[this.#line.length - 1] as number;
  }

  /** Index in the line of the block in whose stretch a key lies. */
  #find(time: number, id: string): number {
    let low = 0;
    let high = this.#line.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#isBefore(time, id, this.#line[middle] as number)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #indexOf(block: number): number {
    return this.#find(this.#times[block] as number, this.#ids[block] as string);
  }

  #cell(block: number, index: number): number {
    const place = block * CAPACITY + index;
    return (this.#cells[place >>> CHUNK_SHIFT] as Uint32Array)[place & CHUNK_MASK] as number;
  }

  #setCell(place: number, slot: number): void {
    (this.#cells[place >>> CHUNK_SHIFT] as Uint32Array)[place & CHUNK_MASK] = slot;
  }

  #put(block: number, slot: number): void {
    const used = this.#used[block] as number;
    const place = block * CAPACITY + used;
    this.#setCell(place, slot);
    this.#slots.setWord(slot, this.#placeField, place);
    this.#used[block] = used + 1;
    this.#live[block] = (this.#live[block] as number) + 1;
  }

  #present(block: number): number[] {
    const used = this.#used[block] as number;
    const present: number[] = [];
    for (let index = 0; index < used; index++) {
      const slot = this.#cell(block, index);
      if (slot !== NOTHING) present.push(slot);
    }
    return present;
  }

  #open(index: number, time: number, id: string): number {
    const block = this.#numbers.take();
    this.#times[block] = time;
    this.#ids[block] = id;
    this.#clear(block);
    this.#line.splice(index, 0, block);
    return block;
  }

  #clear(block: number): void {
    this.#newest[block] = Number.NEGATIVE_INFINITY;
    this.#used[block] = 0;
    this.#live[block] = 0;
  }

  #drop(block: number): void {
    if (this.#line.length === 1) {
      this.#clear(block);
      return;
    }
    this.#line.splice(this.#indexOf(block), 1);
    this.#numbers.giveBack(block);
    this.#times[this.#line[0] as number] = Number.NEGATIVE_INFINITY;
  }

  #withRoom(block: number, time: number, id: string): number {
    if (time > (this.#newest[block] as number))
      return this.#open(this.#indexOf(block) + 1, time, "");
    if ((this.#used[block] as number) < CAPACITY) return block;
    this.#split(block);
    return this.#line[this.#find(time, id)] as number;
  }

  #split(block: number): void {
    const slots = this.#sorted(this.#present(block));
    const newest = this.#newest[block] as number;
    this.#clear(block);
    this.#newest[block] = newest;
    if (slots.length > NOMINAL) {
      const upper = slots.splice(slots.length >> 1);
      const first = upper[0] as number;
      const time = this.#time(first);
      const opened = this.#open(this.#indexOf(block) + 1, time, this.#slots.entry(first).state.id);
      this.#newest[opened] = newest;
      for (const slot of upper) this.#put(opened, slot);
    }
    for (const slot of slots) this.#put(block, slot);
  }

  #mergeAround(block: number): void {
    const index = this.#indexOf(block);
    for (const at of [index, index - 1]) {
      const left = this.#line[at];
      const right = this.#line[at + 1];
      if (left === undefined || right === undefined) continue;
      if ((this.#live[left] as number) + (this.#live[right] as number) > MERGED) continue;
      const slots = this.#present(left).concat(this.#present(right));
      const newest = Math.max(this.#newest[left] as number, this.#newest[right] as number);
      this.#clear(left);
      for (const slot of slots) this.#put(left, slot);
      this.#newest[left] = newest;
      this.#drop(right);
      return;
    }
  }
}

/** Ids compare by code units, which is the same everywhere; `localeCompare` is not. */
export function compareIds(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
