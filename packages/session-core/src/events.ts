import type { SessionError } from "./errors.ts";
import type { EndReason } from "./record.ts";

/** What happened to which session. `at` is epoch milliseconds. */
interface SessionHappening {
  readonly sessionId: string;
  readonly userId: string | undefined;
  readonly at: number;
}

/** Why a write was not made that nobody awaited. */
export type LostWriteReason = "ended" | "superseded" | "refused" | "unavailable" | "withheld";

/** Every event and what it carries. No payload ever holds a token, a secret or a hash. */
export interface SessionEvents {
  /** A session was made, on any instance that shares the store. */
  created: SessionHappening;
  /** A session became a user's. One that is made for a user at once raises `created` first. */
  "signed-in": SessionHappening;
  /** The secret changed by `regenerate()` or by time. */
  regenerated: SessionHappening;
  ended: SessionHappening & { readonly reason: EndReason };
  /** A replaced secret came back after its grace: somebody kept a copy. The session was ended. */
  reused: SessionHappening & { readonly ipAddress: string };
  /** A change was refused because the session had been signed in or regenerated meanwhile. */
  superseded: { readonly sessionId: string };
  /** Changes that nobody awaited could not be stored. */
  "lost-write": {
    readonly sessionId: string;
    readonly keys: readonly string[];
    readonly reason: LostWriteReason;
    readonly error: SessionError | undefined;
  };
  /** A well-formed token that no session answers to. At most once a second; `count` says how many since. */
  "unknown-token": { readonly ipAddress: string; readonly count: number };
  /** A request got no session on purpose. */
  withheld: { readonly reason: WithheldReason; readonly key: string | undefined };
  /** A limit was hit. */
  limit: { readonly limit: "sessions" | "user" | "metadata"; readonly userId: string | undefined };
  /** The store failed or did not answer in time. */
  "store-error": { readonly operation: string; readonly error: SessionError };
  /** Observations that were thrown away. */
  "tracking-dropped": { readonly count: number; readonly reason: "full" | "failed" };
  /** The way the program is set up looks wrong. Once per kind. */
  "config-warning": {
    readonly kind: "forwarded-proto" | "insecure-cookie";
    readonly message: string;
  };
}

/** Why a request got no session. */
export type WithheldReason =
  | "cross-site"
  | "subresource"
  | "retired"
  | "duplicate-cookie"
  | "credentials-conflict"
  | "skipped";

export type SessionEventName = keyof SessionEvents;

/** Is called with the event's payload. Its errors never reach a request. */
export type SessionEventListener<Name extends SessionEventName> = (
  event: SessionEvents[Name],
) => void;

/** A small emitter: synchronous, typed, and deaf to the failures of its listeners. */
export class EventEmitter {
  readonly #listeners = new Map<SessionEventName, Set<(event: never) => void>>();
  readonly #report: (error: unknown) => void;

  /** `report` hears what a listener threw. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  on<Name extends SessionEventName>(name: Name, listener: SessionEventListener<Name>): () => void {
    let set = this.#listeners.get(name);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(name, set);
    }
    const own = set;
    // A wrapper of its own, so that the same function may listen twice and stop once.
    const entry = (event: SessionEvents[Name]): void => listener(event);
    own.add(entry);
    return () => {
      own.delete(entry);
    };
  }

  emit<Name extends SessionEventName>(name: Name, event: SessionEvents[Name]): void {
    const set = this.#listeners.get(name);
    if (set === undefined) return;
    for (const listener of [...set]) {
      try {
        const result: unknown = (listener as (event: SessionEvents[Name]) => unknown)(event);
        if (result instanceof Promise) result.catch(this.#report);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
