// PostgreSQL's text holds neither NUL nor lone surrogates; JSON text holds both, and the beginning of a text is the
// beginning of its JSON text but for the closing quote.

/** Any text as PostgreSQL can hold it. */
export function encodeText(text: string): string {
  return JSON.stringify(text);
}

export function encodeOptional(text: string | undefined): string | null {
  return text === undefined ? null : encodeText(text);
}

/** What {@link encodeText} made; undefined where it is nothing of the kind. */
export function decodeText(stored: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    // Not JSON: the caller says whose it is.
    return undefined;
  }
  return typeof value === "string" ? value : undefined;
}

/** An id as a parameter. Ids have no NUL; what is asked for may have. (Drivers replace lone surrogates themselves.) */
export function idText(id: string): string {
  return id.replaceAll("\0", "\ufffd");
}

/** The texts that begin with this one, encoded, lie from the first to before the second. */
export function prefixRange(prefix: string): readonly [string, string] {
  const from = encodeText(prefix).slice(0, -1);
  const points = Array.from(from);
  for (;;) {
    const last = points.pop()?.codePointAt(0) ?? 0;
    if (last === 0x10_ffff) continue;
    // Surrogates are no characters: the one after U+D7FF is U+E000.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    return [from, points.join("") + String.fromCodePoint(next)];
  }
}
