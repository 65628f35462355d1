import { stringifySetCookie } from "cookie";
import { SessionError } from "./errors.ts";
import { invalidOption } from "./internal/invalid-option.ts";
import { MAX_ID_LENGTH, SECRET_LENGTH } from "./token.ts";

/** How the session cookie is named, scoped and protected. */
export interface CookieOptions {
  /**
   * Default `'kyb_session_id'`. Over https `__Host-` is put before it, so that no other host, subdomain or
   * plain-http page can set it, unless `domain` or `path` forbids that prefix.
   */
  name?: string;
  /**
   * Default `'auto'`: https decides. `true` asserts that users are on https whatever the connection looks like.
   * Danger: with `false` the cookie also travels in clear text.
   */
  secure?: "auto" | boolean;
  /** Default true. Danger: with `false` any script on the page can take the session away. */
  httpOnly?: boolean;
  /**
   * Default `'strict'`. `'lax'` also sends it when a user follows a link from elsewhere. Danger: `'none'` sends
   * it with every cross-site request; over plain http, where browsers refuse it, `Lax` is sent.
   */
  sameSite?: "strict" | "lax" | "none";
  /** Default `'/'`. Danger: a path does not keep other applications of the host away from the cookie. */
  path?: string;
  /** Default none: this host alone. Danger: every subdomain gets the cookie, and can overwrite it. */
  domain?: string;
  /** Default false. One cookie per top-level site (CHIPS), for an application that is embedded elsewhere; https only. */
  partitioned?: boolean;
  /**
   * Default none: the browser forgets the cookie when it closes. `'absolute'`: kept until the session's hard
   * end; or a duration, milliseconds or text such as `'7d'`, at least one second. It never extends the session.
   */
  maxAge?: "absolute" | number | string;
}

/** The cookie options, complete and checked. */
export interface ResolvedCookie {
  readonly name: string;
  /** The name on the wire when the cookie is `Secure`. */
  readonly secureName: string;
  readonly secure: "auto" | boolean;
  readonly httpOnly: boolean;
  readonly sameSite: "strict" | "lax" | "none";
  readonly path: string;
  readonly domain: string | undefined;
  readonly partitioned: boolean;
  /** Milliseconds, or `'absolute'`, or undefined for a browser-session cookie. */
  readonly maxAge: "absolute" | number | undefined;
}

/** What {@link readCookie} answers when the name occurs more than once; no cookie's value can be mistaken for it. */
export const DUPLICATE_COOKIE: unique symbol = Symbol("duplicate cookie");

/** How much of a `Cookie` header is looked at; R-17. */
export const MAX_COOKIE_HEADER = 16_384;
export const MAX_COOKIE_PAIRS = 200;

/** 400 days in seconds; browsers cut anything longer (RFC 6265bis §5.5), and so do we. */
export const MAX_COOKIE_AGE = 34_560_000;

const HOST_PREFIX = "__Host-";

/** Name and value together, in bytes; RFC 6265bis §5.6, R-14. */
const MAX_NAME_AND_VALUE = 4096;
const MAX_NAME = MAX_NAME_AND_VALUE - HOST_PREFIX.length - (MAX_ID_LENGTH + 1 + SECRET_LENGTH);
/** One attribute's value, in bytes; RFC 6265bis §5.6, R-14. */
const MAX_ATTRIBUTE = 1024;

/** RFC 9110 §5.6.2, `token`. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** Browsers compare these prefixes without case. */
const RESERVED_PREFIX = /^__(?:host|secure|http)-/i;
/** RFC 6265bis §4.1.1, `path-value`, from the root; without `<`, which the serialiser refuses. */
const PATH = /^\/[\x20-\x3a\x3d-\x7e]*$/;
/** RFC 1034 §3.5 with RFC 1123 §2.1: labels of letters, digits and inner hyphens. */
const DOMAIN = /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;

/**
 * The value of the one cookie with exactly this name: undefined if there is none, {@link DUPLICATE_COOKIE} if
 * there are several, also with equal values.
 *
 * This runs for every request, so it searches for the name instead of parsing: nothing is allocated but the
 * value (31 ns where `cookie.parse` takes 198), and the rest of the header costs nothing. It is also stricter
 * than `cookie.parse`, which decodes percent signs and of two cookies silently takes the first: a name and a
 * value are trimmed of spaces and tabs and otherwise taken as they are (RFC 6265bis §5.6, steps for a pair),
 * quotes and `$Version` mean nothing. What lies beyond the first 16,384 characters or 200 pairs is not seen.
 */
export function readCookie(
  header: string | null | undefined,
  name: string,
): string | typeof DUPLICATE_COOKIE | undefined {
  if (header === null || header === undefined) return undefined;
  const text = header.length > MAX_COOKIE_HEADER ? wholePairs(header) : header;
  let found: string | undefined;
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + name.length)) {
    const equals = skipBlanks(text, at + name.length);
    if (text.charCodeAt(equals) !== 61 /* = */ || !beginsPair(text, at)) continue;
    // Each pair takes at least one character, its semicolon.
    if (at >= MAX_COOKIE_PAIRS && !isWithinPairs(text, at)) break;
    if (found !== undefined) return DUPLICATE_COOKIE;
    found = valueAfter(text, equals);
  }
  return found;
}

/** The name on the wire: the prefixed one on https, the bare one on http, never both. */
export function cookieName(cookie: ResolvedCookie, encrypted: boolean): string {
  return isSecure(cookie, encrypted) ? cookie.secureName : cookie.name;
}

/**
 * The `Set-Cookie` value that hands out a token. `maxAgeSeconds` makes it persistent; it is cut at 400 days.
 *
 * Over https with the defaults: `__Host-kyb_session_id=<token>` with `Path=/`, `Secure`, `HttpOnly` and
 * `SameSite=Strict` and nothing else (R-11; OWASP ASVS 3.3.1 to 3.3.4).
 */
export function serializeSessionCookie(
  cookie: ResolvedCookie,
  token: string,
  options: { readonly encrypted: boolean; readonly maxAgeSeconds?: number | undefined },
): string {
  const { maxAgeSeconds } = options;
  const lifetime =
    maxAgeSeconds === undefined
      ? {}
      : { maxAge: Math.min(Math.max(Math.floor(maxAgeSeconds), 0), MAX_COOKIE_AGE) };
  return stringifySetCookie({
    ...attributes(cookie, options.encrypted),
    value: token,
    ...lifetime,
  });
}

/**
 * The `Set-Cookie` values that make a browser forget the cookie. A browser only does so if name, domain,
 * path and partition are the same. With `partitioned` the unpartitioned cookie of before goes as well.
 */
export function clearSessionCookie(
  cookie: ResolvedCookie,
  options: { readonly encrypted: boolean },
): string[] {
  // `Expires` is for clients that do not know `Max-Age`.
  const gone = {
    ...attributes(cookie, options.encrypted),
    value: "",
    maxAge: 0,
    expires: new Date(0),
  };
  const variants = gone.partitioned ? [gone, { ...gone, partitioned: false }] : [gone];
  return variants.map((variant) => stringifySetCookie(variant));
}

/**
 * Completes, checks and freezes the cookie options. `parseDuration` reads `maxAge`; it gets the option's
 * name for its error.
 *
 * @throws SessionError `INVALID_CONFIG` naming the option, the rule and the value received.
 */
export function resolveCookie(
  options: CookieOptions | undefined,
  parseDuration: (value: unknown, option: string) => number,
): ResolvedCookie {
  if (options === null || (options !== undefined && typeof options !== "object")) {
    throw invalidOption("cookie", "an object", options);
  }
  const {
    name = "kyb_session_id",
    secure = "auto",
    httpOnly = true,
    sameSite = "strict",
    path = "/",
    domain,
    partitioned = false,
    maxAge,
    ...unknown
  } = options ?? {};
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) {
    throw new SessionError("INVALID_CONFIG", `cookie.${stray} is not an option.`);
  }
  if (typeof name === "string" && RESERVED_PREFIX.test(name)) {
    const rule = "without __Host-, __Secure- or __Http-: we add the prefix that fits";
    throw invalidOption("cookie.name", rule, name);
  }
  const prefix = path === "/" && domain === undefined ? HOST_PREFIX : "";
  const resolved: ResolvedCookie = {
    name: matching("name", name, TOKEN, MAX_NAME, "letters, digits and !#$%&'*+-.^_`|~"),
    secureName: prefix + name,
    secure: oneOf("secure", secure, ["auto", true, false]),
    httpOnly: oneOf("httpOnly", httpOnly, [true, false]),
    sameSite: oneOf("sameSite", sameSite, ["strict", "lax", "none"]),
    path: matching("path", path, PATH, MAX_ATTRIBUTE, "a path from / in ASCII without ; and <"),
    domain:
      domain === undefined
        ? undefined
        : matching("domain", domain, DOMAIN, 253, "a host name without a leading dot"),
    partitioned: oneOf("partitioned", partitioned, [true, false]),
    maxAge: checkMaxAge(maxAge, parseDuration),
  };
  // Browsers refuse both without Secure: the cookie would never be stored.
  if (resolved.secure === false && resolved.sameSite === "none") {
    throw invalidOption("cookie.sameSite", "strict or lax where cookie.secure is false", "none");
  }
  if (resolved.secure === false && resolved.partitioned) {
    throw invalidOption("cookie.partitioned", "false where cookie.secure is false", true);
  }
  return Object.freeze(resolved);
}

/** Everything but value and lifetime. */
function attributes(cookie: ResolvedCookie, encrypted: boolean) {
  const secure = isSecure(cookie, encrypted);
  return {
    name: secure ? cookie.secureName : cookie.name,
    path: cookie.path,
    ...(cookie.domain === undefined ? {} : { domain: cookie.domain }),
    secure,
    httpOnly: cookie.httpOnly,
    // Without Secure browsers refuse None and Partitioned; so that development over http works:
    sameSite: cookie.sameSite === "none" && !secure ? ("lax" as const) : cookie.sameSite,
    partitioned: cookie.partitioned && secure,
  };
}

function isSecure(cookie: ResolvedCookie, encrypted: boolean): boolean {
  return cookie.secure === "auto" ? encrypted : cookie.secure;
}

function matching(
  option: string,
  value: unknown,
  pattern: RegExp,
  max: number,
  rule: string,
): string {
  if (typeof value === "string" && value.length <= max && pattern.test(value)) return value;
  throw invalidOption(`cookie.${option}`, `${rule}, at most ${max} characters`, value);
}

function checkMaxAge(
  value: "absolute" | number | string | undefined,
  parseDuration: (value: unknown, option: string) => number,
): "absolute" | number | undefined {
  if (value === undefined || value === "absolute") return value;
  const milliseconds = parseDuration(value, "cookie.maxAge");
  // Below a second it would be `Max-Age=0`, which deletes the cookie.
  if (milliseconds >= 1000) return milliseconds;
  throw invalidOption("cookie.maxAge", '"absolute" or at least one second', value);
}

function oneOf<Value extends string | boolean>(
  option: string,
  value: unknown,
  values: readonly Value[],
): Value {
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const list = values.map((item) => (typeof item === "string" ? `"${item}"` : String(item)));
  throw invalidOption(`cookie.${option}`, `one of ${list.join(", ")}`, value);
}

/** The part of an overlong header that is looked at, without the pair that it ends in. */
function wholePairs(header: string): string {
  return header.slice(0, Math.max(header.lastIndexOf(";", MAX_COOKIE_HEADER), 0));
}

function beginsPair(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isBlank(text.charCodeAt(before))) before--;
  return before < 0 || text.charCodeAt(before) === 59; /* ; */
}

function isWithinPairs(text: string, at: number): boolean {
  let pairs = 1;
  for (let semicolon = text.indexOf(";"); semicolon !== -1 && semicolon < at; ) {
    if (++pairs > MAX_COOKIE_PAIRS) return false;
    semicolon = text.indexOf(";", semicolon + 1);
  }
  return true;
}

function valueAfter(text: string, equals: number): string {
  const semicolon = text.indexOf(";", equals);
  let end = semicolon === -1 ? text.length : semicolon;
  const start = Math.min(skipBlanks(text, equals + 1), end);
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function skipBlanks(text: string, from: number): number {
  let index = from;
  while (isBlank(text.charCodeAt(index))) index++;
  return index;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
