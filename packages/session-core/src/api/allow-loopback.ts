import { canonicalAddress } from "../internal/address.ts";
import type { AuthorizeContext } from "./authorization.ts";

/** A `Host` that leads to this machine, whatever a name server says. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** What proxies write besides `X-Forwarded-*`. */
const FORWARDING: ReadonlySet<string> = new Set([
  "forwarded",
  "via",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "cf-connecting-ip",
  "true-client-ip",
  "fastly-client-ip",
]);

/**
 * An authorizer for demos: permits everything to whoever sits at this machine. The peer's address and the `Host`
 * both have to be loopback, so that a web page elsewhere cannot get in by a name that it points here, and no
 * forwarding header may be there, so that a proxy on this machine does not open the door to everybody.
 *
 * Never use it behind a proxy that adds no such header. On a host that does not tell the connection it refuses.
 */
export function allowLoopback({
  request,
  connection,
}: Pick<AuthorizeContext<object>, "request" | "connection">): boolean {
  const peer = canonicalAddress(connection.remoteAddress ?? "");
  if (peer !== "::1" && !peer.startsWith("127.")) return false;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (!LOOPBACK_HOST.test(host)) return false;
  for (const name of request.headers.keys()) {
    if (name.startsWith("x-forwarded-") || FORWARDING.has(name)) return false;
  }
  return true;
}
