import { NumberPool } from "../internal/number-pool.ts";
import { ENTRY_WORDS } from "./packing.ts";

/** Entries of one segment. Few, because most sessions have few entries. */
export const SEGMENT_ENTRIES = 4;

/** One word links a segment to the next one of its session. */
const SEGMENT_WORDS = 1 + SEGMENT_ENTRIES * ENTRY_WORDS;

/** Bytes of one segment. */
export const SEGMENT_BYTES: number = SEGMENT_WORDS * 4;

/** Segments of one chunk; a power of two. 272 KiB: small enough to be given back, large enough to be few. */
const CHUNK_SEGMENTS = 4096;
const CHUNK_SHIFT = 12;

/**
 * Memory for the timelines of all sessions: segments of equal size in large typed arrays, which cost the garbage
 * collector nothing. An array of its own for each session would cost 300 bytes before the first entry.
 */
export class Arena {
  readonly #chunks: (Uint32Array | undefined)[] = [];
  readonly #pool = new NumberPool(CHUNK_SEGMENTS, {
    open: (chunk) => {
      this.#chunks[chunk] = new Uint32Array(CHUNK_SEGMENTS * SEGMENT_WORDS);
    },
    close: (chunk) => {
      this.#chunks[chunk] = undefined;
    },
  });
  #segments = 0;

  /** Bytes in use. */
  get bytes(): number {
    return this.#segments * SEGMENT_BYTES;
  }

  /** Bytes held, in use or not. */
  get heldBytes(): number {
    let held = 0;
    for (const chunk of this.#chunks) held += chunk?.byteLength ?? 0;
    return held;
  }

  /** A segment, with whatever was in it. */
  allocate(): number {
    this.#segments++;
    return this.#pool.take();
  }

  free(segment: number): void {
    this.#segments--;
    this.#pool.giveBack(segment);
  }

  /** The array that a segment lies in. */
  words(segment: number): Uint32Array {
    return this.#chunks[segment >>> CHUNK_SHIFT] as Uint32Array;
  }

  /** Index in {@link words} of the entry with this sequence number. */
  entryAt(segment: number, sequence: number): number {
    return linkAt(segment) + 1 + (sequence % SEGMENT_ENTRIES) * ENTRY_WORDS;
  }

  /** The segment that a segment was last linked to. */
  next(segment: number): number {
    return this.words(segment)[linkAt(segment)] as number;
  }

  link(segment: number, next: number): void {
    this.words(segment)[linkAt(segment)] = next;
  }
}

function linkAt(segment: number): number {
  return (segment & (CHUNK_SEGMENTS - 1)) * SEGMENT_WORDS;
}
