import { describe } from "../duration.ts";
import { ApiError } from "./api-error.ts";

/** Most bytes of a request body. */
export const MAX_BODY_BYTES = 65_536;
/** Deepest nesting of a body. */
const MAX_DEPTH = 32;
/** Most keys of all the objects in a body. */
const MAX_KEYS = 1000;

/** What structure is made of in JSON (RFC 8259 §2): strings, those before a colon being keys, and brackets. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[[\]{}]/gs;

/**
 * Reads a JSON body; undefined where there is none. The size is counted while reading, whatever was announced, and
 * before anything is parsed. Only `application/json`: the other types are those that a form of another
 * site may send.
 *
 * Throws `UNSUPPORTED_MEDIA_TYPE`, `BODY_TOO_LARGE` and `INVALID_BODY`.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type");
  if (type !== null && !/^application\/json\s*(?:;|$)/i.test(type)) throw wrongType();
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  const bytes = await readBytes(request);
  if (type === null) {
    if (bytes.byteLength > 0) throw wrongType();
    return undefined;
  }
  return parseJson(decode(bytes));
}

/**
 * Parses JSON that a stranger wrote. A key that comes twice is refused, because two readers may not agree on which one
 * counts, and so is `__proto__`.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidBody("The body is not valid JSON.", cause);
  }
  checkStructure(text);
  return value;
}

/** Looks at brackets and keys alone. The text must be valid JSON: on others the expression could take long. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let keys = 0;
  for (const [token, colon] of text.matchAll(TOKENS)) {
    if (token === "}" || token === "]") open.pop();
    else if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
      if (open.length > MAX_DEPTH) {
        throw invalidBody(`The body is nested deeper than ${MAX_DEPTH} levels.`);
      }
    } else if (colon !== undefined) {
      // Parsed, because "a" and "\u0061" are two spellings of one key.
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      if (key === "__proto__") throw invalidBody('The key "__proto__" is refused.');
      if (open.at(-1)?.has(key) === true) throw invalidBody(`${describe(key)} is given twice.`);
      open.at(-1)?.add(key);
      keys++;
      if (keys > MAX_KEYS) throw invalidBody(`The body has more than ${MAX_KEYS} keys.`);
    }
  }
}

async function readBytes(request: Request): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.byteLength;
      if (size > MAX_BODY_BYTES) break;
      chunks.push(next.value);
    }
    if (size > MAX_BODY_BYTES) await reader.cancel();
  } catch (cause) {
    throw invalidBody("The body could not be read to its end.", cause);
  }
  if (size > MAX_BODY_BYTES) throw tooLarge();
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidBody("The body is not UTF-8.", cause);
  }
}

/** The error for a body that cannot be used; the message names the field, where it is one. */
export function invalidBody(message: string, cause?: unknown): ApiError {
  return new ApiError("INVALID_BODY", message, { cause });
}

function wrongType(): ApiError {
  return new ApiError("UNSUPPORTED_MEDIA_TYPE", "A body must be application/json.");
}

function tooLarge(): ApiError {
  return new ApiError("BODY_TOO_LARGE", `The body has more than ${MAX_BODY_BYTES} bytes.`);
}
