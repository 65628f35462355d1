/** The demo's largest form is a few dozen bytes. */
const MAX_BYTES = 16_384;

/**
 * The fields of an `application/x-www-form-urlencoded` body; undefined when it is too large. What is too much is
 * read and thrown away, so that the answer can still reach the client.
 */
export async function readForm(
  body: AsyncIterable<Uint8Array> | null,
): Promise<URLSearchParams | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size <= MAX_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BYTES) return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
