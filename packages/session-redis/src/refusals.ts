import { SessionError } from "@kyb/session-core/store";

export function notConnected(what: string): SessionError {
  return new SessionError(
    "STORE_UNAVAILABLE",
    `The Redis client is not connected (${what}). Connect it before the first request; afterwards it reconnects by itself.`,
  );
}

export function invalidOption(option: string, rule: string, value: unknown): SessionError {
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new SessionError("INVALID_CONFIG", `${option} must be ${rule}, got ${shown}.`);
}

/** A prefix that the driver adds would reach the keys that commands name, and not those that scripts make. */
export function refuseKeyPrefix(prefix: unknown): void {
  if (prefix === undefined || prefix === "") return;
  throw new SessionError(
    "INVALID_CONFIG",
    "The Redis client must not have a keyPrefix of its own: give the store a prefix instead.",
  );
}
