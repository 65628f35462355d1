import type { SessionErrorCode } from "@kyb/session-core";
import type { Served } from "./web-app.ts";

/** Somebody with a session, and what the suite knows about it. */
export interface Person {
  readonly id: string;
  /** What the session says of itself; nobody else's does. */
  readonly own: string;
  readonly userId: string | undefined;
  readonly cookie: string;
}

/** How a request ended, as its client saw it. */
export interface Reply {
  readonly status: number;
  /** What it was served with; undefined: it was refused. */
  readonly served: Served | undefined;
  /** Why it was refused. */
  readonly code: SessionErrorCode | undefined;
  readonly setCookies: readonly string[];
  readonly retryAfter: string | undefined;
  /** Milliseconds, less those in which the machine was busy with something else. */
  readonly duration: number;
  /** When it was sent, by `performance.now()`. */
  readonly sentAt: number;
}

/** Codes that say that nobody could look. */
const OUTAGES: ReadonlySet<string | undefined> = new Set([
  "STORE_UNAVAILABLE",
  "STORE_MISCONFIGURED",
  "RECORD_UNREADABLE",
]);

/**
 * What is wrong with a reply, whatever is broken at the moment; undefined: nothing. A request is served with the session
 * that its cookie is for, or it is told 503: never somebody else's, never an empty one, and never is the cookie touched.
 */
export function wrongIn(reply: Reply, person: Person): string | undefined {
  const { served, status, code, setCookies, retryAfter } = reply;
  if (setCookies.length > 0) return `${person.own}: ${status} with a Set-Cookie: ${setCookies}`;
  if (served !== undefined) {
    const isOwn =
      served.id === person.id && served.own === person.own && served.userId === person.userId;
    if (isOwn && !served.isNew) return undefined;
    return `${person.own} was served with ${JSON.stringify(served)} instead of ${person.id}`;
  }
  const isRefusal = status === 503 && (OUTAGES.has(code) || code === "STORE_FULL");
  if (!isRefusal) return `${person.own}: ${status} ${code}`;
  if (retryAfter === undefined) return `${person.own}: 503 without Retry-After`;
  return undefined;
}
