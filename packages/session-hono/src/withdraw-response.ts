import type { Context } from "hono";

/** Describes the body of one answer, or says how long that answer may be kept. `content-*` belongs to them. */
const ABOUT_THE_ANSWER: ReadonlySet<string> = new Set([
  "accept-ranges", "cache-control", "etag", "expires", "last-modified", "location", "refresh", "trailer",
  "transfer-encoding",
]); // biome-ignore format: a list of names

/** Policies of the application for whatever it answers. */
const ABOUT_EVERY_ANSWER = /^content-security-policy/;

/**
 * Takes back what the handler answered, because it promises what could not be stored. Hono would lend its headers to the
 * answer that takes its place: what the application sets on all its answers stays, cookies too, but a 503
 * must not be cached, redirected or cut off as the answer before it would have been.
 */
export function withdrawResponse(c: Context): void {
  if (!c.finalized) return;
  const { body } = c.res;
  const headers = new Headers(c.res.headers);
  for (const name of [...headers.keys()]) if (isOfTheAnswer(name)) headers.delete(name);
  c.res = undefined;
  c.res = new Response(null, { headers });
  // Nobody will read it, and its source may hold a file or a connection open.
  if (body?.locked === false) body.cancel().catch(reportUncancelled);
}

function isOfTheAnswer(name: string): boolean {
  return name.startsWith("content-") ? !ABOUT_EVERY_ANSWER.test(name) : ABOUT_THE_ANSWER.has(name);
}

/** The client is about to hear of the store's failure; that of a stream it will not see goes to the console. */
function reportUncancelled(error: unknown): void {
  console.error("@kyb/session-hono: the body of a withdrawn response was not cancelled", error);
}
