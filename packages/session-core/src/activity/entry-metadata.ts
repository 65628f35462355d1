import { SessionError } from "../errors.ts";
import { freezeJson, type JsonValue } from "../metadata.ts";

/** Most bytes of what a handler writes into one line of the timeline, as JSON. */
const MAX_ENTRY_METADATA = 4096;

/** Copies what a handler or a caller writes into a line of the timeline. Throws `INVALID_VALUE` or `METADATA_TOO_LARGE`. */
export function entryMetadata(metadata: object): { readonly [key: string]: JsonValue } {
  const { value, bytes } = freezeJson(metadata, "metadata");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SessionError("INVALID_VALUE", "The metadata of an activity is an object.");
  }
  if (bytes > MAX_ENTRY_METADATA) {
    throw new SessionError(
      "METADATA_TOO_LARGE",
      `The metadata of an activity has ${bytes} bytes as JSON; ${MAX_ENTRY_METADATA} is the most.`,
    );
  }
  return value as { readonly [key: string]: JsonValue };
}
