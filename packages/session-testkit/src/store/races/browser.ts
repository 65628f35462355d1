import { isSessionError, type Session, type SessionManager } from "@kyb/session-core";
import type { SeededRandom } from "../random.ts";
import type { History } from "./history.ts";

/** What the sessions of a race hold. */
export interface RaceData {
  n: number;
  list: string[];
  [key: `key ${string}`]: number;
}

/** The cookie jar that the clients of one browser share. */
export interface Jar {
  /** As the browser sends it; undefined: it has none. */
  cookie: string | undefined;
}

/** What one request had to do with sessions, as its client saw it. */
export interface Note {
  /** Where the history stood when the request was sent. */
  readonly began: number;
  /** The id in the cookie that was sent. */
  readonly sentId: string | undefined;
  /** The session that the handler got. */
  readonly servedId: string;
  readonly isNew: boolean;
  /** Whose session it was then. */
  readonly userId: string | undefined;
  /** Keys that nobody else writes, by what the client was told about them. */
  readonly stored: string[];
  readonly lost: string[];
  cookies: readonly string[];
}

/** What a handler may be refused by others that were faster. */
const EXPECTED: ReadonlySet<string> = new Set([
  "SESSION_ENDED",
  "SESSION_SUPERSEDED",
  "USER_LIMIT",
]);

/** One client that sends requests through a manager of its own, as if each were another process. */
export class Browser {
  readonly name: string;
  readonly manager: SessionManager<RaceData>;
  readonly jars: readonly [Jar, ...Jar[]];
  readonly random: SeededRandom;
  readonly notes: Note[] = [];
  readonly #history: History;
  #number = 0;

  constructor(
    name: string,
    manager: SessionManager<RaceData>,
    jars: readonly [Jar, ...Jar[]],
    parts: { readonly random: SeededRandom; readonly history: History },
  ) {
    this.name = name;
    this.manager = manager;
    this.jars = jars;
    this.random = parts.random;
    this.#history = parts.history;
  }

  /** A name that nobody else uses. */
  unique<What extends string>(what: What): `${What} ${string}` {
    this.#number += 1;
    return `${what} ${this.name}.${this.#number}`;
  }

  /** One request, from the cookie to the answer's `Set-Cookie`. What the handler is refused, it answers with 409. */
  async send(
    handle: (session: Session<RaceData>, note: Note) => Promise<void>,
    jar: Jar = this.random.pick(this.jars),
  ): Promise<void> {
    const { cookie } = jar;
    const began = this.#history.step;
    const headers = {
      get: (name: string) => (name.toLowerCase() === "cookie" ? (cookie ?? null) : null),
    };
    const visit = await this.manager.visit({ method: "GET", url: "/", headers });
    const { session } = visit;
    const { isNew, id: servedId, userId } = session;
    const sentId = idIn(cookie);
    const note: Note = {
      began,
      sentId,
      servedId,
      isNew,
      userId,
      stored: [],
      lost: [],
      cookies: [],
    };
    this.notes.push(note);
    const stop = this.manager.on("lost-write", ({ keys }) => {
      for (const key of keys) move(key, note.stored, note.lost);
    });
    let status = 200;
    try {
      await handle(session, note);
    } catch (error) {
      if (!isSessionError(error) || !EXPECTED.has(error.code)) throw error;
      status = 409;
      for (const key of [...note.stored]) move(key, note.stored, note.lost);
    }
    note.cookies = await visit.commit();
    visit.finish({ status, responseSize: 1 });
    stop();
    const [setCookie] = note.cookies;
    if (setCookie !== undefined) jar.cookie = cookieOf(setCookie);
  }
}

/** The id in a cookie, which is public. */
export function idIn(cookie: string | undefined): string | undefined {
  return cookie === undefined ? undefined : /=([\w-]+)\./.exec(cookie)?.[1];
}

/** What a browser keeps of a `Set-Cookie`. */
function cookieOf(setCookie: string): string | undefined {
  const [pair = ""] = setCookie.split(";");
  return pair.endsWith("=") ? undefined : pair;
}

function move(key: string, from: string[], to: string[]): void {
  const index = from.indexOf(key);
  if (index !== -1) to.push(...from.splice(index, 1));
}
