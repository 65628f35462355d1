import type { Metadata } from "./metadata.ts";
import type { SessionRecord, Transport } from "./record.ts";

/** What the caller decides of a new session; the store stamps the times. Durations in milliseconds. */
export interface NewSession {
  readonly id: string;
  readonly secretHash: string;
  readonly transport: Transport;
  readonly userId: string | undefined;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly idleTimeout: number;
  readonly absoluteTimeout: number;
  /** Undefined: the session is not provisional. */
  readonly provisionalTimeout: number | undefined;
  readonly metadata: Metadata;
  readonly metadataBytes: number;
}

/** How many sessions one user may have. */
export interface UserLimit {
  readonly max: number;
  readonly policy: "evict-oldest" | "evict-least-recent" | "reject";
}

/** What a new session must not exceed. Undefined: no limit. */
export interface CreateLimits {
  readonly maxSessions: number | undefined;
  /** Looked at when the session has a user. */
  readonly user: UserLimit | undefined;
}

/** `refused`: there is no room, and nothing that may be ended to make some. */
export type CreateResult =
  | { readonly status: "created"; readonly record: SessionRecord }
  | { readonly status: "refused"; readonly limit: "sessions" | "user" };
