/** Bytes that a chunk takes on the wire, before any framing. What `write` would refuse has none. */
export function chunkSize(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === "string") {
    return Buffer.byteLength(
      chunk,
      typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8",
    );
  }
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}

/** Whether Node throws away what is written, because such an answer has no body; RFC 9110 §6.4.1. */
export function isBodyless(method: string | undefined, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}
