import type { EndReason, StoreEvent } from "@kyb/session-core/store";
import { decodePart, decodeText } from "./text-code.ts";

const TYPES: ReadonlySet<string> = new Set<StoreEvent["type"]>([
  "created",
  "signed-in",
  "regenerated",
  "ended",
]);

/** Reads what a script published: `type id user time reason`. Undefined: it is nothing of ours, and not for us. */
export function readEvent(message: string): StoreEvent | undefined {
  const [type = "", id, user = "", at, reason, ...more] = message.split(" ");
  if (!TYPES.has(type) || id === undefined || more.length > 0) return undefined;
  if (reason === undefined || !Number.isFinite(Number(at))) return undefined;
  return {
    type: type as StoreEvent["type"],
    sessionId: decodeText(id),
    userId: decodePart(user),
    at: Number(at),
    reason: reason === "-" ? undefined : (reason as EndReason),
  };
}
