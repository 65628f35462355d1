import {
  type ConnectionInfo,
  memoryStore,
  type RequestHead,
  SessionManager,
} from "@kyb/session-core";
import type { BenchData } from "../servers/ours.ts";

const PREFIX = "kyb_session_id=";
/** Bytes of one Cookie header: name, id, dot, secret. */
const COOKIE_BYTES = PREFIX.length + 32 + 1 + 43;
const CROWD = "crowd";
const HOUR = 60 * 60 * 1000;
const BROWSERS = 40;
const PATHS = 12;

/** Milliseconds by which the store's time is ahead of the machine's; the bench moves it. */
export class ShiftedClock {
  shift = 0;
  readonly now = (): number => Date.now() + this.shift;
  readonly monotonic = (): number => performance.now();
}

/**
 * Sessions as an application has them, made and used through the manager as a host does it. The clients' cookies
 * lie in one buffer, so that they cost the heap nothing and each request brings a fresh string, as a socket does.
 */
export class Population {
  readonly clock = new ShiftedClock();
  readonly store = memoryStore();
  readonly manager: SessionManager<BenchData>;
  readonly #cookies: Buffer;
  #size = 0;

  /** `capacity`: sessions that can be made at most. */
  constructor(capacity: number) {
    this.#cookies = Buffer.alloc(capacity * COOKIE_BYTES, 1);
    this.manager = new SessionManager<BenchData>({
      store: this.store,
      clock: this.clock,
      maxSessions: 10_000_000,
      activity: { maxBytes: "2GB" },
    });
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Makes sessions, two for each user but the last `crowd`, which are all of one user, and sends `requests` with each.
   * The first hundredth is an hour older than the others.
   */
  async fill(count: number, requests: number, crowd = 0): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.clock.shift = index < count / 100 ? -HOUR : 0;
      const session = this.#size;
      await this.#make(session, index >= count - crowd ? CROWD : `user-${session >> 1}`);
      for (let request = 0; request < requests; request++) await this.request(session, request);
    }
    this.clock.shift = 0;
  }

  /** One request of one session, from its first byte to its last. */
  async request(session: number, path: number): Promise<void> {
    const { manager } = this;
    const visit = await manager.visit(this.#head(session, path), connectionOf(session));
    if (visit.session.userId === undefined) throw new Error(`Session ${session} is not known.`);
    if (visit.isDirty) await visit.commit();
    visit.finish({ status: 200, responseSize: 512 });
  }

  /** A visit that has been opened, for what is timed afterwards. */
  open(session: number): ReturnType<SessionManager<BenchData>["visit"]> {
    return this.manager.visit(this.#head(session, 0), connectionOf(session));
  }

  /** The public id of a session. */
  idOf(session: number): string {
    const begin = session * COOKIE_BYTES + PREFIX.length;
    return this.#cookies.toString("latin1", begin, begin + 32);
  }

  /** The Cookie header of a session, as a fresh string. */
  cookieOf(session: number): string {
    return this.#cookies.toString("latin1", session * COOKIE_BYTES, (session + 1) * COOKIE_BYTES);
  }

  async #make(session: number, userId: string): Promise<void> {
    const { token } = await this.manager.create({
      userId,
      ipAddress: connectionOf(session).remoteAddress ?? "",
      userAgent: browserOf(session),
    });
    const cookie = PREFIX + token;
    if (cookie.length !== COOKIE_BYTES) throw new Error(`A cookie of ${cookie.length} bytes.`);
    this.#cookies.write(cookie, session * COOKIE_BYTES, "latin1");
    this.#size = session + 1;
  }

  #head(session: number, path: number): RequestHead {
    const cookie = this.cookieOf(session);
    return {
      method: "GET",
      url: `/articles/${path % PATHS}`,
      headers: {
        get: (name) => {
          if (name === "cookie") return cookie;
          return name === "user-agent" ? browserOf(session) : null;
        },
      },
    };
  }
}

function connectionOf(session: number): ConnectionInfo {
  return { remoteAddress: `10.${(session >> 16) & 255}.${(session >> 8) & 255}.${session & 255}` };
}

function browserOf(session: number): string {
  return `Mozilla/5.0 (X11; Linux x86_64; rv:${100 + (session % BROWSERS)}.0) Gecko/20100101 Firefox/140.0`;
}
