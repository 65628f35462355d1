import type { ResolvedConfig } from "./config.ts";
import { clearSessionCookie, serializeSessionCookie } from "./cookie.ts";
import type { SessionState, Transport } from "./record.ts";
import { formatToken, type Token } from "./token.ts";

/** Where the host's response headers are read and written. `Headers` fits. */
export interface ResponseHead {
  get(name: string): string | null | undefined;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

/** The request header that carries each transport's token. */
const HEADER_OF: Readonly<Record<Transport, string>> = {
  cookie: "Cookie",
  bearer: "Authorization",
  header: "X-Session-ID",
};

const NO_VALUES: readonly string[] = [];

/** The session cookie of one response: at most one, until the headers leave. */
export class IssuedCookies {
  readonly #config: Pick<ResolvedConfig, "cookie" | "transports">;
  readonly #encrypted: boolean;
  #values: readonly string[] = NO_VALUES;
  #isSealed = false;

  constructor(config: Pick<ResolvedConfig, "cookie" | "transports">, encrypted: boolean) {
    this.#config = config;
    this.#encrypted = encrypted;
  }

  /** Whether the headers have left, so that no cookie can be set any more. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** The `Set-Cookie` values as they stand. */
  get values(): string[] {
    return [...this.#values];
  }

  /** Hands out a token. A persistent cookie never outlives the session. */
  issue(token: Token, state: SessionState, now: number): void {
    const { cookie } = this.#config;
    const left = state.absoluteEnd - now;
    const age = cookie.maxAge === "absolute" ? left : cookie.maxAge;
    const lifetime =
      age === undefined ? {} : { maxAgeSeconds: Math.floor(Math.min(age, left) / 1000) };
    this.#values = [
      serializeSessionCookie(cookie, formatToken(token), {
        encrypted: this.#encrypted,
        ...lifetime,
      }),
    ];
  }

  /** Makes the browser forget the cookie. */
  clear(): void {
    this.#values = clearSessionCookie(this.#config.cookie, { encrypted: this.#encrypted });
  }

  /** Leaves the browser's cookie as it is. */
  drop(): void {
    this.#values = NO_VALUES;
  }

  /** Writes the cookie, and what keeps caches from handing one user's answer to the next. */
  seal(head: ResponseHead, wasRead: boolean): void {
    if (this.#isSealed) return;
    this.#isSealed = true;
    for (const value of this.#values) head.append("Set-Cookie", value);
    if (
      this.#values.length > 0 &&
      !/\b(?:no-store|private)\b/i.test(head.get("Cache-Control") ?? "")
    ) {
      head.set("Cache-Control", "no-store");
    }
    if (!wasRead) return;
    const vary = head.get("Vary") ?? "";
    let complete = vary;
    for (const transport of this.#config.transports) {
      const name = HEADER_OF[transport];
      if (!isListed(vary, name)) complete = complete === "" ? name : `${complete}, ${name}`;
    }
    if (complete !== vary) head.set("Vary", complete);
  }
}

function isListed(vary: string, name: string): boolean {
  if (vary === "") return false;
  const names = vary.split(",").map((item) => item.trim().toLowerCase());
  return names.includes("*") || names.includes(name.toLowerCase());
}
