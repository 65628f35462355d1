/** Characters that JSON escapes, and halves of surrogate pairs, which UTF-8 cannot carry. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
const SPECIAL = /[\u0000-\u001f"\\\ud800-\udfff]/;

/**
 * Any string as text that SQLite keeps unchanged: the inside of a JSON string. Beginnings stay beginnings, and different
 * strings stay different.
 */
export function encodeText(text: string): string {
  return SPECIAL.test(text) ? JSON.stringify(text).slice(1, -1) : text;
}

/** The inverse of {@link encodeText}. Throws a `SyntaxError` for what it did not give. */
export function decodeText(stored: string): string {
  return stored.includes("\\") ? (JSON.parse(`"${stored}"`) as string) : stored;
}
