import type { SessionError } from "./errors.ts";
import type { WithheldReason } from "./events.ts";
import type { SessionRecord } from "./record.ts";

/** A session as it was found. */
export interface Presence {
  readonly record: SessionRecord;
  /** Hash of the secret that the client holds. */
  readonly secretHash: string;
  /** The client holds the predecessor of a secret that is in use already: it may not change the secret. */
  readonly grace: boolean;
}

/** Why there is no session to work with. */
export type Absence =
  /** None yet: the first write makes one. */
  | { readonly kind: "none" }
  | { readonly kind: "full" }
  | { readonly kind: "withheld"; readonly reason: WithheldReason }
  | { readonly kind: "unavailable"; readonly error: SessionError }
  /** Ended, by this request or while it ran. */
  | { readonly kind: "ended" }
  | { readonly kind: "superseded" };
