import type { DemoRequest } from "./visitor.ts";

/**
 * Whether another site's page sent this request through the visitor's browser (CSRF). The strict cookie alone is
 * not enough: a sign-in needs no cookie, so another site could sign the visitor in as somebody else.
 *
 * Browsers say where a request comes from in `Sec-Fetch-Site`; over plain http, except on this machine, they only
 * send `Origin`. Clients that send neither, such as curl, are not browsers.
 */
export function isForeign({ headers }: Pick<DemoRequest, "headers">): boolean {
  const site = headers.get("sec-fetch-site");
  if (site) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  if (!origin) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get("host");
}
