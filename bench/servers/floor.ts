import { hash, randomBytes } from "node:crypto";

const NAME = "sid=";
/** Milliseconds. */
const IDLE = 24 * 60 * 60 * 1000;
/** 32-bit words of one line: time, endpoint with method and status, duration, two sizes, one spare: 24 bytes. */
const WORDS = 6;
const LINES = 20;
const PAGE = 1024;
const ID_LENGTH = 32;

/** The record of one session. */
export interface FloorSession {
  readonly user: string;
  readonly secretHash: string;
  readonly slot: number;
  expiresAt: number;
  count: number;
}

/**
 * The least work that tracks a session at all: the cookie found in the header, a `Map` lookup, the expiry slid, a
 * count, one packed line in a ring, metric counters. No rules, no security, not a library: the physical limit that each
 * table is measured against.
 */
export class Floor {
  readonly #hashes: boolean;
  readonly #sessions = new Map<string, FloorSession>();
  readonly #pages: Uint32Array[] = [];
  readonly #endpoints = new Map<string, number>();
  readonly #statuses = new Uint32Array(6);
  readonly #durations = new Uint32Array(64);
  readonly #bootedAt = Date.now();
  #total = 0;
  #bytes = 0;

  /** `hashes`: the secret is stored as its SHA-256, as it must be; false: the cookie is the key. */
  constructor(hashes: boolean) {
    this.#hashes = hashes;
  }

  get total(): number {
    return this.#total;
  }

  /** Makes a session and answers its cookie. */
  start(user: string): string {
    const id = randomBytes(24).toString("base64url");
    const secret = randomBytes(32).toString("base64url");
    const slot = this.#sessions.size;
    if (slot % PAGE === 0) this.#pages.push(new Uint32Array(PAGE * LINES * WORDS));
    this.#sessions.set(id, {
      user,
      secretHash: hash("sha256", secret, "base64url"),
      slot,
      expiresAt: Date.now() + IDLE,
      count: 0,
    });
    return `${NAME}${id}.${secret}`;
  }

  /** Finds the session of a request and slides its expiry. */
  find(header: string | undefined, now: number): FloorSession | undefined {
    if (header === undefined) return undefined;
    const at = header.indexOf(NAME);
    if (at === -1) return undefined;
    const begin = at + NAME.length;
    const session = this.#sessions.get(header.slice(begin, begin + ID_LENGTH));
    if (session === undefined || session.expiresAt <= now) return undefined;
    if (this.#hashes) {
      const secret = header.slice(begin + ID_LENGTH + 1, begin + ID_LENGTH + 44);
      if (hash("sha256", secret, "base64url") !== session.secretHash) return undefined;
    }
    session.expiresAt = now + IDLE;
    return session;
  }

  /** Counts a request and writes its line. */
  track(
    session: FloorSession,
    request: {
      now: number;
      path: string;
      isGet: boolean;
      status: number;
      duration: number;
      bytes: number;
    },
  ): void {
    let endpoint = this.#endpoints.get(request.path);
    if (endpoint === undefined) {
      endpoint = this.#endpoints.size;
      this.#endpoints.set(request.path, endpoint);
    }
    const micros = Math.round(request.duration * 1000);
    const page = this.#pages[Math.floor(session.slot / PAGE)] as Uint32Array;
    const line = session.count % LINES;
    const word = ((session.slot % PAGE) * LINES + line) * WORDS;
    page[word] = request.now - this.#bootedAt;
    page[word + 1] = (endpoint << 16) | (request.isGet ? 1 << 12 : 0) | request.status;
    page[word + 2] = micros;
    page[word + 3] = 0;
    page[word + 4] = request.bytes;
    session.count += 1;
    this.#total += 1;
    this.#bytes += request.bytes;
    const status = Math.floor(request.status / 100);
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    const bucket = 32 - Math.clz32(micros);
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1;
  }

  /** Lines of one session. */
  lines(session: FloorSession): number {
    return Math.min(LINES, session.count);
  }
}
