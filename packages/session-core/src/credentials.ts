import type { RequestHead } from "./client.ts";
import type { ResolvedConfig } from "./config.ts";
import { cookieName, DUPLICATE_COOKIE, readCookie } from "./cookie.ts";
import type { Transport } from "./record.ts";
import { parseToken, type Token } from "./token.ts";

/** A token of our form, and how it came. */
export interface Presented {
  readonly kind: "token";
  readonly token: Token;
  readonly transport: Transport;
}

/** What a request presents. `none` also stands for what is no token of ours. */
export type Credentials = { readonly kind: "none" | "duplicate" | "conflict" } | Presented;

const NONE: Credentials = { kind: "none" };
const DUPLICATE: Credentials = { kind: "duplicate" };
const CONFLICT: Credentials = { kind: "conflict" };

/**
 * Looks for a token on the transports that are switched on; never in the URL or the body. A bearer that is
 * not of our form belongs to somebody else and says nothing. Two well-formed tokens in one request are a conflict,
 * whether or not they are the same: a token works on one transport only.
 */
export function readCredentials(
  config: Pick<ResolvedConfig, "cookie" | "transports">,
  head: RequestHead,
  encrypted: boolean,
): Credentials {
  let found: Credentials = NONE;
  for (const transport of config.transports) {
    const text = readTransport(transport, config, head, encrypted);
    if (text === DUPLICATE_COOKIE) return DUPLICATE;
    const token = text === undefined ? undefined : parseToken(text);
    if (token === undefined) continue;
    if (found !== NONE) return CONFLICT;
    found = { kind: "token", token, transport };
  }
  return found;
}

function readTransport(
  transport: Transport,
  config: Pick<ResolvedConfig, "cookie">,
  head: RequestHead,
  encrypted: boolean,
): string | typeof DUPLICATE_COOKIE | undefined {
  switch (transport) {
    case "cookie":
      return readCookie(head.headers.get("cookie"), cookieName(config.cookie, encrypted));
    case "bearer": {
      const value = head.headers.get("authorization");
      // RFC 9110 §11.1: the scheme takes any case.
      return value?.slice(0, 7).toLowerCase() === "bearer " ? value.slice(7).trim() : undefined;
    }
    case "header":
      return head.headers.get("x-session-id")?.trim();
  }
}
