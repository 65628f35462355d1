import type { ConnectionInfo } from "../../src/client.ts";
import type { SessionManager } from "../../src/manager.ts";
import type { VisitOptions } from "../../src/open.ts";
import type { Session } from "../../src/session.ts";
import type { Visit } from "../../src/visit.ts";

/** Session data of the tests that do not care about types. */
export interface Bag {
  [key: string]: unknown;
}

export interface BrowserOptions {
  /** Default https. */
  secure?: boolean;
  remoteAddress?: string;
  headers?: Readonly<Record<string, string>>;
}

export interface RequestInit {
  method?: string;
  path?: string;
  headers?: Readonly<Record<string, string>>;
  /** Default: the cookies that the browser has. */
  cookie?: string | undefined;
  status?: number;
  options?: VisitOptions;
}

export interface Answer {
  readonly headers: Headers;
  readonly setCookies: readonly string[];
  readonly session: Session<Bag>;
  readonly visit: Visit<Bag>;
}

/** A host and a browser in one: sends requests, keeps the cookies it is given, sends them back. */
export class Browser {
  readonly #manager: SessionManager<Bag>;
  readonly #options: BrowserOptions;
  readonly cookies = new Map<string, string>();

  constructor(manager: SessionManager<Bag>, options: BrowserOptions = {}) {
    this.#manager = manager;
    this.#options = options;
  }

  /** The token in the session cookie. */
  get token(): string | undefined {
    const [value] = this.cookies.values();
    return value;
  }

  /** What it sends as `Cookie`. */
  get cookieHeader(): string | undefined {
    if (this.cookies.size === 0) return undefined;
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Another browser with the same cookies, such as a thief's. */
  copy(): Browser {
    const copy = new Browser(this.#manager, this.#options);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  /** Sends a request and opens its visit. */
  open(init: RequestInit = {}): Promise<Visit<Bag>> {
    const { secure = true, remoteAddress } = this.#options;
    const headers = new Headers({
      host: "shop.example",
      ...this.#options.headers,
      ...init.headers,
    });
    const cookie = "cookie" in init ? init.cookie : this.cookieHeader;
    if (cookie !== undefined) headers.set("cookie", cookie);
    const head = { method: init.method ?? "GET", url: init.path ?? "/", headers };
    const connection: ConnectionInfo = {
      encrypted: secure,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    };
    return this.#manager.visit(head, connection, init.options);
  }

  /** Ends a visit as a host does: stores, seals, finishes; the browser takes the cookies. */
  async answer(visit: Visit<Bag>, status = 200): Promise<Answer> {
    await visit.commit();
    const headers = new Headers();
    visit.seal(headers);
    visit.finish({ status, responseSize: 0 });
    const setCookies = headers.getSetCookie();
    for (const value of setCookies) this.#take(value);
    return { headers, setCookies, session: visit.session, visit };
  }

  /** A whole request. */
  async request(
    handler: (session: Session<Bag>, visit: Visit<Bag>) => unknown = () => undefined,
    init: RequestInit = {},
  ): Promise<Answer> {
    const visit = await this.open(init);
    await handler(visit.session, visit);
    return this.answer(visit, init.status);
  }

  #take(setCookie: string): void {
    const [pair = ""] = setCookie.split(";");
    const equals = pair.indexOf("=");
    const name = pair.slice(0, equals);
    if (/;\s*max-age=0\b/i.test(setCookie)) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(equals + 1));
  }
}
