import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import { SessionError } from "./errors.ts";

/** Where time comes from. Both in milliseconds. */
export interface Clock {
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Never goes back; only differences mean something. */
  monotonic(): number;
}

/** Fills the given bytes with cryptographically secure randomness, or throws; there is no fallback. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => void;

/** SHA-256 of a string of ASCII characters, as base64url without padding: 43 characters. */
export type Sha256 = (text: string) => string;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export const systemRandom: RandomBytes = (bytes) => {
  crypto.getRandomValues(bytes);
};

/** The slice of `process` that tells where Node, Bun, Deno and Workers keep their synchronous hash. */
interface ProcessLike {
  getBuiltinModule?(
    id: string,
  ): { hash?(name: string, data: string, encoding: string): string } | undefined;
}

/**
 * The platform's synchronous hash where there is one, else the audited portable one. WebCrypto's digest is only
 * to be had as a promise, which costs 15 µs a request.
 */
export function findSha256(): Sha256 {
  const { process } = globalThis as { process?: ProcessLike };
  const native = process?.getBuiltinModule?.("node:crypto");
  if (typeof native?.hash === "function") {
    const { hash } = native;
    return (text) => hash("sha256", text, "base64url");
  }
  const encoder = new TextEncoder();
  return (text) => toBase64url(portableSha256(encoder.encode(text)));
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += ALPHABET[(held >> bits) & 63];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (6 - bits)) & 63];
  return text;
}

/** Draws random text, from a pool because one small draw costs ten times as much as its share of a large one. */
export class RandomText {
  readonly #fill: RandomBytes;
  readonly #pool = new Uint8Array(4096);
  #used: number;

  constructor(fill: RandomBytes) {
    this.#fill = fill;
    this.#used = this.#pool.length;
  }

  /** `length` characters of base64url, six random bits each. */
  characters(length: number): string {
    const size = Math.ceil((length * 3) / 4);
    return toBase64url(this.#take(size)).slice(0, length);
  }

  /** 256 random bits, 43 characters. */
  secret(): string {
    return toBase64url(this.#take(32));
  }

  #take(size: number): Uint8Array {
    if (this.#used + size > this.#pool.length) {
      try {
        this.#fill(this.#pool);
      } catch (cause) {
        throw new SessionError(
          "UNSUPPORTED",
          "The source of randomness failed; no session was made.",
          { cause },
        );
      }
      this.#used = 0;
    }
    const taken = this.#pool.slice(this.#used, this.#used + size);
    // What was handed out does not stay behind in memory.
    this.#pool.fill(0, this.#used, this.#used + size);
    this.#used += size;
    return taken;
  }
}
