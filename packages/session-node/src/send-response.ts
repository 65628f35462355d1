import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { clearHead } from "./answer-head.ts";
import { isBodyless } from "./body-size.ts";

/** Headers that say one thing each time they come; those of the application in front stay. */
const ADDED: ReadonlySet<string> = new Set(["set-cookie", "vary"]);

/**
 * Sends a `Response`. It is added to what is set already: every `Set-Cookie` stays one of its own, in order. The body is
 * read as fast as the client takes it, and cancelled when the client leaves; if it fails in the middle, the
 * connection is cut.
 */
export async function sendResponse(
  response: Response,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { body } = response;
  if (res.destroyed) {
    await body?.cancel();
    return;
  }
  res.statusCode = response.status;
  res.statusMessage = response.statusText;
  for (const [name, value] of response.headers) {
    if (ADDED.has(name)) res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
  if (body === null || isBodyless(req.method, response.status)) {
    res.end();
    await body?.cancel();
  } else await sendBody(body, Number(response.headers.get("content-length") ?? Number.NaN), res);
  // A handler that answered early, to a body that is too large for example, leaves the rest in the connection.
  if (!req.readableEnded) req.resume();
}

/** `length` is the announced one, or NaN. */
async function sendBody(
  body: ReadableStream<Uint8Array>,
  length: number,
  res: ServerResponse,
): Promise<void> {
  const reader = body.getReader();
  const left = new AbortController();
  let cancelled: Promise<void> | undefined;
  const leave = (): void => {
    left.abort();
    // Ends a read that is under way as well.
    cancelled = reader.cancel();
  };
  res.once("close", leave);
  // The headers of a stream that is silent at first leave now; those of a body at hand go with it.
  const silence = setImmediate(() => res.flushHeaders());
  let sent = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      clearImmediate(silence);
      sent += next.value.byteLength;
      // The last bytes and the end in one call, so that a whole body can be held back and taken back.
      if (sent === length) {
        res.end(next.value);
        return;
      }
      if (!res.write(next.value)) await once(res, "drain", { signal: left.signal });
    }
    if (!left.signal.aborted) res.end();
  } catch (error) {
    if (!left.signal.aborted) {
      if (!res.headersSent) {
        clearHead(res);
        throw error;
      }
      res.destroy();
    }
  } finally {
    clearImmediate(silence);
    res.off("close", leave);
    await cancelled;
  }
}
