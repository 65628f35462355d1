import { describe } from "../duration.ts";
import { SessionError } from "../errors.ts";
import type { EndReason } from "../record.ts";

// What an application hands to the manager. Each throws `INVALID_ARGUMENT` for what must not reach a store.

const END_REASONS: ReadonlySet<string> = new Set<EndReason>([
  "signed-out", "revoked", "idle", "absolute", "provisional", "limit", "reuse", "binding", "shutdown", "erased",
]); // biome-ignore format: a list of names

export function checkId(id: unknown): asserts id is string {
  if (typeof id === "string" && id !== "") return;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `A session id is a non-empty text, got ${describe(id)}.`,
  );
}

/** A user id that is missing must never mean everybody. */
export function checkUserId(userId: unknown): asserts userId is string {
  if (typeof userId === "string" && userId !== "" && userId.length <= 256) return;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `A user id is a text of 1 to 256 characters, got ${describe(userId)}.`,
  );
}

/** The reason of an end; left out: `revoked`. */
export function checkReason(reason: unknown): EndReason {
  if (reason === undefined) return "revoked";
  if (typeof reason === "string" && END_REASONS.has(reason)) return reason as EndReason;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `reason must be one of ${[...END_REASONS].join(", ")}, got ${describe(reason)}.`,
  );
}
