import type { JsonValue } from "./metadata.ts";
import type { UserLimit } from "./new-session.ts";
import type { SessionRecord } from "./record.ts";

/** One atomic change of a session. */
export interface Commit {
  /** Unique to this change; the same again when it is repeated. */
  readonly opId: string;
  /** The epoch that the caller saw. Another one now: `superseded`. */
  readonly epoch: number;
  /** Needed where the secret changes: the hash that the caller presented. Another one now: `superseded`. */
  readonly secretHash: string | undefined;
  /** For compare-and-set: the version that the caller saw. Another one now: `conflict`. */
  readonly version: number | undefined;
  readonly ops: readonly MetadataOp[];
  readonly maxMetadataBytes: number;
  readonly change: SecretChange | undefined;
}

/**
 * What a commit came to. But for `applied`, nothing was written; `conflict` brings the record as it is, so that the caller
 * can try again on it.
 */
export type CommitResult =
  | { readonly status: "applied"; readonly record: SessionRecord }
  | { readonly status: "conflict"; readonly record: SessionRecord }
  | { readonly status: "superseded" }
  | { readonly status: "gone" }
  | { readonly status: "refused"; readonly limit: "user" }
  | { readonly status: "refused"; readonly limit: "metadata"; readonly bytes: number }
  | { readonly status: "refused"; readonly limit: "number"; readonly key: string };

/** One change of the data. `bytes` is the size of the value as JSON. */
export type MetadataOp =
  | {
      readonly kind: "set";
      readonly key: string;
      readonly value: JsonValue;
      readonly bytes: number;
    }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "increment"; readonly key: string; readonly by: number };

/** A change of the secret, and of what goes with it. Durations in milliseconds. */
export type SecretChange =
  | {
      /** A new secret and a user; both timeouts start again. */
      readonly kind: "sign-in";
      readonly secretHash: string;
      readonly userId: string;
      /** Keys of the data so far that stay; `true`: all. Applied before `ops`. */
      readonly keep: true | readonly string[];
      readonly idleTimeout: number;
      readonly absoluteTimeout: number;
      readonly limit: UserLimit | undefined;
    }
  /** A new secret at once. */
  | { readonly kind: "regenerate"; readonly secretHash: string }
  /** A successor that becomes the secret when it is presented. Nothing changes if one is pending already. */
  | { readonly kind: "offer"; readonly secretHash: string; readonly nonce: string }
  /** The pending successor was presented. `secretHash` in the commit is the successor's. */
  | { readonly kind: "promote" };
