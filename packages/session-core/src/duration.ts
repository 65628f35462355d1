import { parse } from "@lukeed/ms";
import { SessionError } from "./errors.ts";

/** Milliseconds, or text such as `'30s'`, `'24h'`, `'30d'`. */
export type Duration = number | string;

/** Reads a duration that an option was given. `option` is named in the error. */
export function parseDuration(value: unknown, option: string): number {
  const milliseconds = typeof value === "string" ? parse(value) : value;
  if (typeof milliseconds !== "number" || !Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new SessionError(
      "INVALID_CONFIG",
      `${option} must be milliseconds or text such as "30s", "24h" or "30d", got ${describe(value)}.`,
    );
  }
  return Math.round(milliseconds);
}

/** A value as it stands in an error message: short, and never an object's contents. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "an array" : "an object";
}
