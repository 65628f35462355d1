import { NumberPool } from "../internal/number-pool.ts";
import type { Entry } from "./entry.ts";

/** Slots of one page; a power of two. */
const PAGE_SLOTS = 1024;
const PAGE_SHIFT = 10;
const PAGE_MASK: number = PAGE_SLOTS - 1;

/** What changes with every request of a session lies in 64 bytes: four numbers, then eight words. */
const NUMBERS = 8;
const WORDS = 16;

/** A number (64 bits) of a slot. */
export const CREATED_AT = 0;
export const LAST_ACCESS = 1;
export const LAST_ACTIVITY = 2;
/** When the session is next looked at: its deadline, or earlier. */
export const DUE_AT = 3;

/** A word (32 bits, unsigned) of a slot. */
export const REQUEST_COUNT = 8;
export const CONFIRMED = 9;
/** Number of the session's user; 0: none. */
export const USER = 10;
/** Where the session is in the order by last access, by deadline. */
export const ACCESS_PLACE = 11;
export const DUE_PLACE = 12;
export const LOG_LAST = 13;
export const LOG_NEXT = 14;
export const LOG_COUNT = 15;

/** What requests do not need lies apart: further words, numbered on. */
const COLD_WORDS = 3;
/** Where the session is in the order by creation. */
export const CREATED_PLACE = 16;
/** The sessions of the same user that came after and before it. */
export const USER_NEXT = 17;
export const USER_PREVIOUS = 18;

/** The memory of some sessions. */
export interface Page {
  readonly numbers: Float64Array;
  readonly words: Uint32Array;
  readonly coldWords: Uint32Array;
  readonly entries: (Entry | undefined)[];
}

/**
 * The numbers of all sessions, outside of the objects. Half the memory of fields, one cache line instead of five, and
 * orders can be rearranged without touching a single object.
 */
export class Slots {
  readonly #pages: (Page | undefined)[] = [];
  readonly #pool = new NumberPool(PAGE_SLOTS, {
    open: (page) => {
      const numbers = new Float64Array(PAGE_SLOTS * NUMBERS);
      this.#pages[page] = {
        numbers,
        words: new Uint32Array(numbers.buffer),
        coldWords: new Uint32Array(PAGE_SLOTS * COLD_WORDS),
        entries: new Array(PAGE_SLOTS).fill(undefined),
      };
    },
    close: (page) => {
      this.#pages[page] = undefined;
    },
  });

  constructor() {
    // Slot 0 is never used: in an order it stands for nothing.
    this.#pool.take();
  }

  /** Makes an entry's slot. */
  take(make: (page: Page, slot: number) => Entry): Entry {
    const slot = this.#pool.take();
    const page = this.#page(slot);
    page.numbers.fill(0, numberAt(slot, 0), numberAt(slot, NUMBERS));
    const entry = make(page, slot);
    page.entries[slot & PAGE_MASK] = entry;
    return entry;
  }

  giveBack(slot: number): void {
    this.#page(slot).entries[slot & PAGE_MASK] = undefined;
    this.#pool.giveBack(slot);
  }

  entry(slot: number): Entry {
    return this.#page(slot).entries[slot & PAGE_MASK] as Entry;
  }

  number(slot: number, field: number): number {
    return this.#page(slot).numbers[numberAt(slot, field)] as number;
  }

  word(slot: number, field: number): number {
    const { words, coldWords } = this.#page(slot);
    return (field < WORDS ? words[wordAt(slot, field)] : coldWords[coldAt(slot, field)]) as number;
  }

  setWord(slot: number, field: number, value: number): void {
    const { words, coldWords } = this.#page(slot);
    if (field < WORDS) words[wordAt(slot, field)] = value;
    else coldWords[coldAt(slot, field)] = value;
  }

  #page(slot: number): Page {
    return this.#pages[slot >>> PAGE_SHIFT] as Page;
  }
}

/** Index of a slot's number in its page. */
export function numberAt(slot: number, field: number): number {
  return (slot & PAGE_MASK) * NUMBERS + field;
}

/** Index of a slot's word in its page. */
export function wordAt(slot: number, field: number): number {
  return (slot & PAGE_MASK) * WORDS + field;
}

function coldAt(slot: number, field: number): number {
  return (slot & PAGE_MASK) * COLD_WORDS + field - WORDS;
}
