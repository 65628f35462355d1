// Texts from outside as parts of keys and blank-separated values: no blank, no brace, no control character is left in
// them, two texts never become one, and the beginning of a text becomes the beginning of its code.

const OTHERS = /[^\w.@:+/=-]/g;
const PLAIN = /^[\w.@:+/=-]*$/;
const CODED = /%([0-9A-F]{4})/g;

export function encodeText(text: string): string {
  if (PLAIN.test(text)) return text;
  // Code unit by code unit, so that also half of a surrogate pair comes back as it was.
  return text.replace(OTHERS, (unit) => {
    const code = unit.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(4, "0")}`;
  });
}

export function decodeText(code: string): string {
  if (!code.includes("%")) return code;
  return code.replace(CODED, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}

/** A text as one part of a value; absent ones are `-`, which no present one is. */
export function encodePart(text: string | undefined): string {
  return text === undefined ? "-" : `=${encodeText(text)}`;
}

export function decodePart(part: string | undefined): string | undefined {
  return part?.startsWith("=") === true ? decodeText(part.slice(1)) : undefined;
}
