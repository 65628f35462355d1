/** 32-bit words of one packed entry. */
export const ENTRY_WORDS = 4;
/** Highest number of a {@link Kind}: 21 bits, beside the 11 high bits of the time. */
export const MAX_KIND: number = 2 ** 21 - 1;

const TIME_LIMIT = 2 ** 43;
const DURATION_LIMIT = 2 ** 40;
const WORD = 2 ** 32;
const KIND_BITS = 21;
const RESPONSE_LIMIT = 2 ** 39;
/** With a request body the two sizes share the 39 bits. */
const BOTH_REQUEST_LIMIT = 2 ** 17;
const BOTH_RESPONSE_LIMIT = 2 ** 22;
/** Bit 7 of the byte beside the duration: both sizes are there. */
const BOTH = 0x80;
const MANTISSA_LIMIT = 2 ** 20;
const MAX_EXPONENT = 15;

/** The numbers of an entry that are packed. */
export interface EntryNumbers {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly requestSize: number;
  readonly responseSize: number;
}

/**
 * Whether the numbers come back as they were. Times are whole milliseconds up to the year 2248; a response has up to
 * 512 GiB, or, with a request body of up to 128 KiB, up to 4 MiB. A duration comes back in microseconds up to a
 * second and with a relative error below 0.000003 above it.
 */
export function isPackable(entry: EntryNumbers): boolean {
  const { timestamp, duration, requestSize, responseSize } = entry;
  if (!isWhole(timestamp, TIME_LIMIT)) return false;
  if (!(duration >= 0 && duration < DURATION_LIMIT)) return false;
  return requestSize === 0
    ? isWhole(responseSize, RESPONSE_LIMIT)
    : isWhole(requestSize, BOTH_REQUEST_LIMIT) && isWhole(responseSize, BOTH_RESPONSE_LIMIT);
}

/**
 * Writes four words: low bits of the time; high bits of the time and the kind; duration and high bits of the sizes;
 * low bits of the sizes. 16 bytes, where an object takes 150 and two floats would take 24.
 */
export function pack(words: Uint32Array, at: number, kind: number, entry: EntryNumbers): void {
  const { timestamp, requestSize, responseSize } = entry;
  const both = requestSize === 0 ? 0 : BOTH;
  const sizes = requestSize * BOTH_RESPONSE_LIMIT + responseSize;
  words[at] = timestamp;
  words[at + 1] = (Math.floor(timestamp / WORD) << KIND_BITS) | kind;
  words[at + 2] = (packDuration(entry.duration) << 8) | both | Math.floor(sizes / WORD);
  words[at + 3] = sizes;
}

/** The kind of the entry at `at`. */
export function kindAt(words: Uint32Array, at: number): number {
  return word(words, at + 1) & MAX_KIND;
}

/** When the entry at `at` was, epoch milliseconds. */
export function timestampAt(words: Uint32Array, at: number): number {
  return (word(words, at + 1) >>> KIND_BITS) * WORD + word(words, at);
}

export function unpack(words: Uint32Array, at: number): EntryNumbers {
  const mixed = word(words, at + 2);
  const sizes = (mixed & (BOTH - 1)) * WORD + word(words, at + 3);
  const requestSize = (mixed & BOTH) === 0 ? 0 : Math.floor(sizes / BOTH_RESPONSE_LIMIT);
  return {
    timestamp: timestampAt(words, at),
    duration: unpackDuration(mixed >>> 8),
    requestSize,
    responseSize: sizes - requestSize * BOTH_RESPONSE_LIMIT,
  };
}

/** Microseconds as 20 bits times a power of four in 4 bits. */
function packDuration(milliseconds: number): number {
  let mantissa = Math.round(milliseconds * 1000);
  let exponent = 0;
  while (mantissa >= MANTISSA_LIMIT && exponent < MAX_EXPONENT) {
    mantissa = Math.round(mantissa / 4);
    exponent++;
  }
  return exponent * MANTISSA_LIMIT + Math.min(mantissa, MANTISSA_LIMIT - 1);
}

function unpackDuration(packed: number): number {
  return ((packed & (MANTISSA_LIMIT - 1)) * 4 ** (packed >>> 20)) / 1000;
}

function isWhole(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}

function word(words: Uint32Array, at: number): number {
  return words[at] as number;
}
