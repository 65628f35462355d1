import type { OutgoingHttpHeader, ServerResponse } from "node:http";

/**
 * Sets the headers given to `writeHead(status, headers)` one by one, as Node itself does where some are set already:
 * they replace those of the same name, and names that come twice in a list stay twice. So what is added afterwards
 * stands beside them. Throws what `setHeader` throws.
 */
export function setExplicitHeaders(res: ServerResponse, headers: unknown): void {
  if (typeof headers !== "object" || headers === null) return;
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) {
      if (name !== "") res.setHeader(name, value as OutgoingHttpHeader);
    }
    return;
  }
  const pairs = pairsOf(headers);
  for (const [name] of pairs) res.removeHeader(name);
  for (const [name, value] of pairs) res.appendHeader(name, value);
}

type Pair = readonly [name: string, value: string | readonly string[]];

/** `[name, value, name, value]`, or the same as pairs. */
function pairsOf(list: readonly unknown[]): Pair[] {
  if (Array.isArray(list[0])) return list as Pair[];
  if (list.length % 2 !== 0) {
    throw new TypeError(
      "writeHead needs a list of headers that alternates between names and values.",
    );
  }
  const pairs: Pair[] = [];
  for (let at = 0; at < list.length; at += 2) {
    if (list[at]) pairs.push([list[at], list[at + 1]] as unknown as Pair);
  }
  return pairs;
}
