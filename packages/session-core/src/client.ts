import { canonicalAddress, isInRanges, parseRange } from "./internal/address.ts";
import { copyText } from "./internal/cut-text.ts";
import { invalidOption } from "./internal/invalid-option.ts";

/** The beginning of a request. A `Request` of the platform fits. */
export interface RequestHead {
  method: string;
  /** Path and query, or the whole URL. */
  url: string;
  /** `get` takes any case and joins repeated headers with a comma, as the Fetch standard has it. */
  headers: { get(name: string): string | null };
}

/** What only the host knows about the connection. */
export interface ConnectionInfo {
  /** Address of the peer, which may be a proxy. Absent for a Unix socket. */
  remoteAddress?: string;
  /** Whether the connection to the peer uses TLS. Default false. */
  encrypted?: boolean;
}

/**
 * Which proxies are believed: `false` none; a number of hops; addresses and CIDR ranges; or a function that is
 * asked for each address, the peer's being hop 0 (`""` for a Unix socket).
 */
export type TrustProxy = false | number | readonly string[] | TrustFunction;

/** Whether the proxy with this address, `hop` steps away, is believed. Only `true` means yes. */
export type TrustFunction = (address: string, hop: number) => boolean;

/** Where a request came from, as far as it is known without believing strangers. */
export interface ClientFacts {
  /** The client's address in canonical form; `""` where there is none. */
  readonly address: string;
  /** Whether the client's own connection uses TLS. */
  readonly encrypted: boolean;
  /** The host a trusted proxy says the client asked for; undefined: the request's own `Host` counts. */
  readonly host: string | undefined;
  /** Whether the peer is a trusted proxy, so that forwarding headers were believed. */
  readonly forwarded: boolean;
}

/** Addresses of `X-Forwarded-For` that are looked at, from the right. Longer chains of proxies do not exist. */
export const MAX_HOPS = 32;

/** A host name, an IPv4 address or a bracketed IPv6 address, with or without a port; RFC 9110 §7.2. */
const HOST = /^(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,253})(?::\d{1,5})?$/i;

/**
 * Checks the option `trustProxy` and makes one question of it; undefined when nobody is trusted.
 *
 * `true` is refused, and so is a range of everybody: then each client could write its own address. A text is
 * refused because `"1"` and `"10.0.0.1, 10.0.0.2"` would be guesses.
 *
 * @throws SessionError `INVALID_CONFIG`, naming the entry.
 */
export function compileTrust(value: unknown): TrustFunction | undefined {
  if (value === undefined || value === false) return undefined;
  if (typeof value === "number") return trustHops(value);
  if (Array.isArray(value)) return trustRanges(value);
  if (typeof value === "function") {
    const ask = value as (address: string, hop: number) => unknown;
    // An asynchronous function answers a promise, which is truthy: it must not mean yes.
    return (address, hop) => ask(address, hop) === true;
  }
  const why = value === true ? " (true would believe every client)" : "";
  throw invalidOption(
    "trustProxy",
    `false, a number of hops, a list such as ["10.0.0.0/8"], or a function${why}`,
    value,
  );
}

/**
 * Finds out who sent a request.
 *
 * Forwarding headers are text that anybody can write, so all of them stand or fall with one question: is the
 * peer, the other end of the socket, a trusted proxy? Then:
 * - Address: `X-Forwarded-For` is walked from the right, where the nearest proxy wrote, as long as the address
 *   reached is trusted. The first that is not is the client; if all are, the leftmost. What is no address ends
 *   the walk at the address before it.
 * - Scheme and host: of a list, the entry as far from the right as the client's address is in
 *   `X-Forwarded-For`, which is the one that the outermost trusted proxy wrote. A shorter list, usually of one
 *   value that every proxy passes on, counts by its leftmost. Nothing left of that is believed.
 *
 * `Forwarded` (RFC 7239), `X-Real-IP` and the like are not read: a proxy that sets one header passes the others
 * on as the client wrote them.
 */
export function clientFacts(
  head: RequestHead,
  connection: ConnectionInfo,
  trust: TrustFunction | undefined,
): ClientFacts {
  const peer = canonicalAddress(connection.remoteAddress ?? "");
  const encrypted = connection.encrypted === true;
  if (trust === undefined || !trust(peer, 0)) {
    return { address: peer, encrypted, host: undefined, forwarded: false };
  }

  const header = head.headers.get("x-forwarded-for");
  let address = peer;
  let hops = 0;
  for (const text of fromRight(header)) {
    if (hops > 0 && !trust(address, hops)) break;
    const next = canonicalAddress(text);
    if (next === "") break;
    address = next;
    hops++;
  }
  const scheme = atHop(head.headers.get("x-forwarded-proto"), hops);
  return {
    // A session keeps its address, which must not keep a long header.
    address: address.length === header?.length ? address : copyText(address),
    encrypted: isEncrypted(scheme) ?? encrypted,
    host: canonicalHost(atHop(head.headers.get("x-forwarded-host"), hops)),
    forwarded: true,
  };
}

/** A host with its port, if it has one, in lower case; undefined for what cannot stand in a `Host` header. */
export function canonicalHost(text: string | null | undefined): string | undefined {
  return text !== null && text !== undefined && HOST.test(text) ? text.toLowerCase() : undefined;
}

function trustHops(count: number): TrustFunction | undefined {
  if (!Number.isInteger(count) || count < 0 || count > MAX_HOPS) {
    throw invalidOption("trustProxy", `a whole number of hops from 0 to ${MAX_HOPS}`, count);
  }
  return count === 0 ? undefined : (_address, hop) => hop < count;
}

function trustRanges(entries: readonly unknown[]): TrustFunction | undefined {
  const ranges = entries.map((entry, index) => {
    const range = typeof entry === "string" ? parseRange(entry) : undefined;
    if (range !== undefined) return range;
    const rule =
      'an address or a range such as "10.0.0.0/8" or "fd00::/8", but not of everybody (/0)';
    throw invalidOption(`trustProxy[${index}]`, rule, entry);
  });
  return ranges.length === 0 ? undefined : (address) => isInRanges(address, ranges);
}

/** The entries of a list header from right to left, without the empty ones; at most {@link MAX_HOPS} looked at. */
function fromRight(header: string | null): string[] {
  const entries: string[] = [];
  if (header === null) return entries;
  let end = header.length;
  for (let looked = 0; looked < MAX_HOPS && end >= 0; looked++) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    const entry = header.slice(comma + 1, end).trim();
    if (entry !== "") entries.push(entry);
    end = comma;
  }
  return entries;
}

function atHop(header: string | null, hops: number): string | undefined {
  const entries = fromRight(header);
  return entries[Math.min(Math.max(hops, 1), entries.length) - 1];
}

/** What a scheme says about TLS; undefined where it says nothing. */
function isEncrypted(scheme: string | undefined): boolean | undefined {
  switch (scheme?.toLowerCase()) {
    case "https":
    case "wss":
      return true;
    case "http":
    case "ws":
      return false;
    default:
      return undefined;
  }
}
