import type { Visit } from "@kyb/session-core";
import { LeavingHeaders } from "./leaving-headers.ts";
import type { NodeOutgoing } from "./node-host.ts";

/** Status of a request whose client left before there was an answer. */
const CLIENT_LEFT = 499;

/**
 * Follows a response of Hono's Node server to its end: seals the visit when the headers leave, counts the bytes, and
 * finishes the visit when the last one is out or the client is gone.
 *
 * It listens to the outgoing message, because a body that is wrapped, or a `Response` whose headers are
 * looked at, leaves the server's fast path for answers of text. So it also sees what a handler writes past
 * Hono, and the server's own answer to an error that nobody handled.
 */
export function followNodeResponse(
  visit: Pick<Visit, "commit" | "finish" | "isDirty" | "seal">,
  method: string,
  outgoing: NodeOutgoing,
): void {
  const { writeHead, write, end } = outgoing;
  let bytes = 0;
  let isEnded = false;
  let leaving: LeavingHeaders | undefined;
  let waiting: Promise<unknown> | undefined;

  /** Stores what there is to store, and only then makes this call and those that come after it. */
  const hold = (call: () => unknown): void => {
    waiting = (waiting ?? Promise.resolve()).then(() => visit.commit()).then(call);
    // Without its end, the client does not take what it got for a complete answer.
    waiting.catch((error: Error) => outgoing.destroy(error));
  };
  /** Whether the client has all that was announced, which for it is the end. */
  const isComplete = (): boolean =>
    bytes >= Number(leaving?.get("Content-Length") ?? outgoing.getHeader("Content-Length"));

  outgoing.writeHead = (...values) => {
    outgoing.writeHead = writeHead;
    leaving = new LeavingHeaders(outgoing, values);
    visit.seal(leaving);
    return writeHead.apply(outgoing, leaving.values);
  };
  outgoing.write = (...values) => {
    // The end of HTTP/2 writes its chunk by this method.
    if (isEnded) return write.apply(outgoing, values);
    bytes += byteLength(values);
    if (waiting === undefined && !(visit.isDirty && isComplete()))
      return write.apply(outgoing, values);
    hold(() => write.apply(outgoing, values));
    return true;
  };
  outgoing.end = (...values) => {
    if (isEnded) return outgoing;
    isEnded = true;
    bytes += byteLength(values);
    if (waiting === undefined && !visit.isDirty) return end.apply(outgoing, values);
    // What the handler changed while it streamed is stored before the client sees the end.
    hold(() => end.apply(outgoing, values));
    return outgoing;
  };
  const finish = (): void => {
    const { headersSent, statusCode } = outgoing;
    const hasBody = method !== "HEAD" && statusCode !== 204 && statusCode !== 304;
    visit.finish({
      status: headersSent ? statusCode : CLIENT_LEFT,
      responseSize: hasBody ? bytes : 0,
    });
  };
  const close = (): void => {
    if (outgoing.writableEnded || !visit.isDirty) finish();
    // The client has left in the middle of it. What the handler changed until then is stored; what cannot be
    // stored has raised `lost-write`, and nobody waits for an answer.
    else visit.commit().then(finish, finish);
  };
  // The client may have left while the visit was being opened.
  if (outgoing.destroyed) close();
  else outgoing.on("close", close);
}

/** Bytes that a chunk takes on the wire, before any framing. */
function byteLength([chunk, encoding]: readonly unknown[]): number {
  if (typeof chunk !== "string") return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
  return Buffer.byteLength(
    chunk,
    typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8",
  );
}
