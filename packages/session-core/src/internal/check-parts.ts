import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Clock } from "../environment.ts";
import type { SessionStore } from "../store.ts";
import { invalidOption } from "./invalid-option.ts";

// Options that are objects with methods. Each throws `INVALID_CONFIG` for what cannot be one, so that the mistake
// shows where it was made and not in the first request.

export function checkStore(value: unknown): SessionStore | undefined {
  if (value === undefined) return undefined;
  if (has(value, "capabilities", "object") && has(value, "commit", "function"))
    return value as SessionStore;
  throw invalidOption("store", "a session store such as memoryStore()", value);
}

export function checkClock(value: unknown): Clock | undefined {
  if (value === undefined) return undefined;
  if (has(value, "now", "function") && has(value, "monotonic", "function")) return value as Clock;
  throw invalidOption("clock", "an object with now() and monotonic()", value);
}

export function checkSchema(value: unknown): StandardSchemaV1 | undefined {
  if (value === undefined) return undefined;
  // Also of a function: some libraries' schemas are.
  const standard = (value as { "~standard"?: unknown } | null)?.["~standard"];
  if (has(standard, "validate", "function")) return value as StandardSchemaV1;
  throw invalidOption("schema", "a Standard Schema", value);
}

function has(value: unknown, key: string, type: "function" | "object"): value is object {
  if (typeof value !== "object" || value === null) return false;
  return typeof (value as Readonly<Record<string, unknown>>)[key] === type;
}
