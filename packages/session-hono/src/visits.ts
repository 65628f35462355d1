import type { Visit } from "@kyb/session-core";
import type { Context } from "hono";

/** A visit that `session()` opened for a request, and those opened before it for other managers. */
interface Opened {
  readonly manager: object;
  readonly visit: Visit<object>;
  readonly before: Opened | undefined;
}

/**
 * Where they lie in the request's context, so that nothing outlives the request. Registered, so that the ESM and the
 * CommonJS copy of this package find each other's visits. Not among the context's variables, of which Hono makes an
 * object each time that a handler says `c.var` (half a microsecond a request).
 */
const OPENED: unique symbol = Symbol.for("@kyb/session-hono.opened") as never;

interface WithOpened extends Context {
  [OPENED]?: Opened | undefined;
}

/** Remembers a visit with its request, for {@link visitOf}. */
export function rememberVisit<Data extends object>(
  c: Context,
  manager: object,
  visit: Visit<Data>,
): void {
  (c as WithOpened)[OPENED] = { manager, visit, before: opened(c) };
}

/**
 * The visit that `session(manager)` opened for this request; undefined if it did not. Asked by manager, because the
 * sessions of another one have other users.
 */
export function visitOf(c: Context, manager: object | undefined): Visit<object> | undefined {
  let found = opened(c);
  while (found !== undefined && found.manager !== manager) found = found.before;
  return found?.visit;
}

function opened(c: Context): Opened | undefined {
  return (c as WithOpened)[OPENED];
}
