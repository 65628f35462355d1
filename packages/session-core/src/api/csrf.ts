import { type ClientFacts, canonicalHost } from "../client.ts";
import type { ResolvedConfig } from "../config.ts";
import { readCredentials } from "../credentials.ts";
import type { Session } from "../session.ts";

/** Methods that change nothing; RFC 9110 §9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** What decides whether a request may come from another site. */
export interface CsrfFacts {
  readonly method: string;
  /** `Sec-Fetch-Site`, which pages cannot write; null where the client sends none. */
  readonly fetchSite: string | null;
  readonly origin: string | null;
  /** The origin that users see; undefined where it cannot be told. */
  readonly ownOrigin: string | undefined;
  /** Whether the session was opened with a token that no browser sends by itself. */
  readonly hasToken: boolean;
}

export type CsrfVerdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "refused"; readonly header: "Sec-Fetch-Site" | "Origin" };

const ALLOWED: CsrfVerdict = { kind: "allowed" };

/**
 * The rule for requests that change something (R-53; ASVS 3.5.1). Browsers say where a request comes from, by
 * `Sec-Fetch-Site` or, older ones and over plain http, by `Origin`. A client that sends neither is no browser,
 * and has no cookie of a user who only looked at a page.
 */
export function checkCsrf(facts: CsrfFacts): CsrfVerdict {
  if (SAFE_METHODS.has(facts.method) || facts.hasToken) return ALLOWED;
  if (facts.fetchSite !== null) {
    const isOwn = facts.fetchSite === "same-origin" || facts.fetchSite === "none";
    return isOwn ? ALLOWED : { kind: "refused", header: "Sec-Fetch-Site" };
  }
  if (facts.origin === null || facts.origin === facts.ownOrigin) return ALLOWED;
  return { kind: "refused", header: "Origin" };
}

/** Collects what {@link checkCsrf} decides by. */
export function csrfFacts(
  request: Request,
  facts: ClientFacts,
  config: ResolvedConfig,
  caller: Session<object> | undefined,
): CsrfFacts {
  return {
    method: request.method,
    fetchSite: request.headers.get("sec-fetch-site"),
    origin: request.headers.get("origin"),
    ownOrigin: config.publicUrl ?? originOf(request, facts),
    hasToken: caller !== undefined && isOpenedByToken(request, config, caller),
  };
}

/** Without `publicUrl`: the scheme and host that the client asked for, as far as proxies are believed. */
function originOf(request: Request, facts: ClientFacts): string | undefined {
  const host =
    facts.host ?? canonicalHost(request.headers.get("host")) ?? new URL(request.url).host;
  const url = `${facts.encrypted ? "https" : "http"}://${host}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

/**
 * A token that the client wrote into a header and that opened this very session. One that opened nothing exempts
 * from nothing: a page elsewhere could send it along with the user's cookie.
 */
function isOpenedByToken(
  request: Request,
  config: ResolvedConfig,
  caller: Session<object>,
): boolean {
  const transports = config.transports.filter((transport) => transport !== "cookie");
  const credentials = readCredentials({ cookie: config.cookie, transports }, request, false);
  return credentials.kind === "token" && credentials.token.id === caller.id;
}
