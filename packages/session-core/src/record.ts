import type { Metadata } from "./metadata.ts";

/** Version of the stored shape. A store refuses or migrates what it does not know; it never destroys it. */
export const RECORD_VERSION = 1;

/** How a token travels: in our cookie, as `Authorization: Bearer`, or in the header `X-Session-ID`. */
export type Transport = "cookie" | "bearer" | "header";

/** Why a session stopped being valid. */
export type EndReason =
  | "signed-out"
  | "revoked"
  | "idle"
  | "absolute"
  | "provisional"
  | "limit"
  | "reuse"
  | "binding"
  | "shutdown"
  | "erased";

/** How many replaced secrets a session remembers. */
export const MAX_RETIRED = 4;

/** The hash of a secret that was replaced. */
export interface RetiredSecret {
  readonly hash: string;
  /** When it was replaced, epoch milliseconds. */
  readonly at: number;
  /** `rotated`: replaced by time, works for a grace. The others are dead at once. */
  readonly kind: "sign-in" | "regenerated" | "rotated";
}

/** A successor of the current secret that has been issued and not yet been presented. */
export interface PendingSecret {
  readonly hash: string;
  /** With the current secret it derives the successor, so that a lost response can be repeated. */
  readonly nonce: string;
  readonly at: number;
}

/**
 * What the application relies on. A commit replaces it as a whole; nothing changes it in place, so whoever
 * holds one holds a snapshot. Times are epoch milliseconds of the store's clock.
 */
export interface SessionState {
  /** Public, stable for the session's whole life. */
  readonly id: string;
  /** SHA-256 of the secret, base64url. */
  readonly secretHash: string;
  readonly transport: Transport;
  /** Grows with every sign-in and explicit regeneration. */
  readonly epoch: number;
  /** Grows with every commit. */
  readonly version: number;
  readonly userId: string | undefined;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly createdAt: number;
  /** When the current secret was issued. */
  readonly secretIssuedAt: number;
  /** When the user signed in, or undefined for an anonymous session. */
  readonly authenticatedAt: number | undefined;
  /** Milliseconds without activity after which the session is due. */
  readonly idleTimeout: number;
  /** The hard end. */
  readonly absoluteEnd: number;
  /** End of a session whose cookie never came back; undefined once something was stored in it. */
  readonly provisionalEnd: number | undefined;
  readonly metadata: Metadata;
  /** Size of `metadata` as UTF-8 JSON. */
  readonly metadataBytes: number;
  /** Newest first, at most {@link MAX_RETIRED}. */
  readonly retired: readonly RetiredSecret[];
  readonly pending: PendingSecret | undefined;
}

/** A session as a store answers it: the state, and beside it what was observed, which may move meanwhile. */
export interface SessionRecord {
  readonly state: SessionState;
  /** The latest request of any kind. */
  readonly lastAccessTime: number;
  /** The latest request that was the user's; the idle timeout runs from here. */
  readonly lastActivityTime: number;
  readonly requestCount: number;
  /** Whether the client ever sent the token back. */
  readonly confirmed: boolean;
  readonly endedAt: number | undefined;
  readonly endReason: EndReason | undefined;
}
