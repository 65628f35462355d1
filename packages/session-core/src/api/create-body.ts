import * as v from "valibot";
import { describe } from "../duration.ts";
import { MAX_USER_ID } from "../identity.ts";
import { invalidBody } from "./json-body.ts";

/** What `POST /` is asked for. Everything else about a session is the server's to say. */
export interface CreateBody {
  readonly userId: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const USER_ID_RULE = `user_id must be a text of 1 to ${MAX_USER_ID} characters.`;

const Body = v.strictObject({
  user_id: v.optional(
    v.pipe(
      v.string(USER_ID_RULE),
      v.minLength(1, USER_ID_RULE),
      v.maxLength(MAX_USER_ID, USER_ID_RULE),
    ),
  ),
  // `record` would drop keys such as "constructor" in silence, which are plain data here.
  metadata: v.optional(
    v.custom<Record<string, unknown>>(
      (value) => isObject(value) && !Object.hasOwn(value, ""),
      "metadata must be an object whose keys are not empty.",
    ),
  ),
});

/** Checks the parsed body; no body at all asks for nothing in particular. Throws `INVALID_BODY` naming the field. */
export function readCreateBody(value: unknown): CreateBody {
  if (value === undefined) return { userId: undefined, metadata: {} };
  if (!isObject(value)) throw invalidBody("The body must be a JSON object.");
  const result = v.safeParse(Body, value);
  if (result.success) {
    return { userId: result.output.user_id, metadata: result.output.metadata ?? {} };
  }
  const [issue] = result.issues;
  const isUnknown = issue.expected === "never";
  throw invalidBody(
    isUnknown ? `The body has no field ${describe(issue.path?.[0]?.key)}.` : issue.message,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
