import { SessionError } from "./errors.ts";

/** What session data is made of. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** All of a session's data: an object without a prototype, deeply frozen. */
export type Metadata = Readonly<Record<string, JsonValue>>;

/** Deepest nesting that session data may have. */
export const MAX_DEPTH = 32;

/** An empty {@link Metadata}. */
export const EMPTY_METADATA: Metadata = Object.freeze(
  Object.create(null) as Record<string, JsonValue>,
);

/** A copy of a value that nobody else can change, with its size as UTF-8 JSON. */
export interface Frozen {
  readonly value: JsonValue;
  readonly bytes: number;
}

/**
 * Copies plain JSON data, freezes the copy and measures it, in one walk and without serialising.
 *
 * Throws `INVALID_VALUE` naming the place for whatever JSON cannot carry unchanged: `undefined`, functions,
 * symbols, bigint, NaN and infinities, dates, maps, class instances, cycles, nesting below 32 levels, and the
 * key `__proto__`.
 */
export function freezeJson(value: unknown, path: string): Frozen {
  const bytes = { total: 0 };
  return { value: copy(value, path, 0, bytes), bytes: bytes.total };
}

/** Size of `"key":value,` in the JSON text of the whole. */
export function entryBytes(key: string, valueBytes: number): number {
  return jsonStringBytes(key) + valueBytes + 2;
}

/** Size of data that is known to be plain JSON, without copying it. */
export function jsonBytes(value: JsonValue): number {
  if (typeof value === "string") return jsonStringBytes(value);
  if (value === null || typeof value !== "object") return String(value).length;
  let total = 0;
  if (Array.isArray(value)) for (const item of value) total += jsonBytes(item) + 1;
  else for (const [key, item] of Object.entries(value)) total += entryBytes(key, jsonBytes(item));
  return containerBytes(total);
}

/** Refuses a key that could be mistaken for the language's own machinery; R-71. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string" || key === "") {
    throw new SessionError(
      "INVALID_ARGUMENT",
      `A session key must be a non-empty string, got ${typeof key}.`,
    );
  }
  if (key === "__proto__")
    throw new SessionError("INVALID_VALUE", 'The key "__proto__" is refused.');
}

function copy(value: unknown, path: string, depth: number, bytes: { total: number }): JsonValue {
  switch (typeof value) {
    case "string":
      bytes.total += jsonStringBytes(value);
      return value;
    case "boolean":
      bytes.total += value ? 4 : 5;
      return value;
    case "number":
      if (!Number.isFinite(value)) throw refused(path, String(value));
      bytes.total += String(value).length;
      return value;
    case "object":
      if (value === null) {
        bytes.total += 4;
        return null;
      }
      if (depth >= MAX_DEPTH) throw refused(path, `nesting below ${MAX_DEPTH} levels (or a cycle)`);
      return Array.isArray(value)
        ? copyArray(value, path, depth, bytes)
        : copyObject(value, path, depth, bytes);
    default:
      throw refused(path, value === undefined ? "undefined" : `a ${typeof value}`);
  }
}

function copyArray(
  value: readonly unknown[],
  path: string,
  depth: number,
  bytes: { total: number },
): JsonValue {
  bytes.total += containerBytes(value.length);
  const result: JsonValue[] = [];
  for (let index = 0; index < value.length; index++) {
    result.push(copy(value[index], `${path}[${index}]`, depth + 1, bytes));
  }
  return Object.freeze(result);
}

function copyObject(
  value: object,
  path: string,
  depth: number,
  bytes: { total: number },
): JsonValue {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a vm context) have their own Object.prototype: it is the one without a parent.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refused(path, `an instance of ${value.constructor?.name ?? "a class"}`);
  }
  const entries = Object.entries(value);
  bytes.total += containerBytes(entries.length);
  const result: Record<string, JsonValue> = {};
  for (const [key, item] of entries) {
    if (key === "__proto__") throw refused(path, 'the key "__proto__"');
    bytes.total += jsonStringBytes(key) + 1;
    result[key] = copy(item, `${path}.${key}`, depth + 1, bytes);
  }
  return Object.freeze(result);
}

/** Size of an array or object whose parts take `parts` bytes, each with a comma: the last one has none. */
function containerBytes(parts: number): number {
  return parts === 0 ? 2 : parts + 1;
}

function refused(path: string, what: string): SessionError {
  return new SessionError("INVALID_VALUE", `Session data is plain JSON: ${path} is ${what}.`);
}

/** UTF-8 bytes of a string as JSON writes it, with its quotes. */
function jsonStringBytes(text: string): number {
  let total = 2;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22 || code === 0x5c) total += 2;
    else if (code < 0x20) total += code >= 8 && code <= 13 && code !== 11 ? 2 : 6;
    else if (code < 0x80) total += 1;
    else if (code < 0x800) total += 2;
    else if (code >= 0xd800 && code <= 0xdbff && isLow(text.charCodeAt(index + 1))) {
      total += 4;
      index++;
    } else total += code >= 0xd800 && code <= 0xdfff ? 6 : 3;
  }
  return total;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
