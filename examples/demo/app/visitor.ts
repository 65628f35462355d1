import type { Session, SessionManager } from "@kyb/session-core";

/** One request, as far as every host can tell it. */
export interface DemoRequest {
  readonly method: string;
  /** Path and query, or the whole URL. */
  readonly url: string;
  readonly headers: { get(name: string): string | null | undefined };
  readonly body: AsyncIterable<Uint8Array> | null;
  readonly session: Session;
}

/** What a page works with. */
export interface Visitor {
  readonly session: Session;
  readonly sessions: SessionManager;
  readonly query: URLSearchParams;
  /** The fields of the form that was sent. */
  readonly form: URLSearchParams;
}

/** Hosts hand over a path (Node) or a whole URL (fetch); what is neither names no page. */
export function parseUrl(url: string): URL {
  return URL.parse(url, "http://localhost") ?? new URL("http://localhost/not-a-url");
}
