import type { Visit } from "./visit.ts";

/**
 * Ends a visit on a host that speaks `Response`: stores what changed, writes the cookie, and follows the body to its
 * end, which is where the handler can change the session no more. Only a response without a body is over with its
 * headers: a body whose length is announced may still be a stream.
 *
 * Rejects where the state could not be stored; then nothing has been answered yet.
 */
export async function completeResponse(
  visit: Pick<Visit, "commit" | "seal" | "finish" | "isDirty">,
  method: string,
  response: Response,
): Promise<Response> {
  if (visit.isDirty) await visit.commit();
  const sealed = sealResponse(visit, response);
  const { status, body } = sealed;
  if (body === null || method === "HEAD") {
    visit.finish({ status, responseSize: 0 });
    return sealed;
  }
  const length = Number(sealed.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
  return new Response(followed(body, visit, { status, length }), sealed);
}

/** Writes the headers; a response whose headers are immutable, such as a redirect, is copied first. */
export function sealResponse(visit: Pick<Visit, "seal">, response: Response): Response {
  let target = response;
  const write = (change: (headers: Headers) => void): void => {
    try {
      change(target.headers);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      target = new Response(response.body, response);
      change(target.headers);
    }
  };
  visit.seal({
    get: (name) => target.headers.get(name),
    set: (name, value) => write((headers) => headers.set(name, value)),
    append: (name, value) => write((headers) => headers.append(name, value)),
  });
  return target;
}

/**
 * The same bytes, counted; the visit ends when they have all been read, or when nobody wants them any more. `length`
 * bytes are all for the client, so the last of them waits for the store as the end does.
 */
function followed(
  body: ReadableStream<Uint8Array>,
  visit: Pick<Visit, "commit" | "finish" | "isDirty">,
  { status, length }: { readonly status: number; readonly length: number },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let responseSize = 0;
  /** What the handler changed while it streamed is stored before the client sees the end. */
  const end = async (): Promise<void> => {
    try {
      if (visit.isDirty) await visit.commit();
    } finally {
      visit.finish({ status, responseSize });
    }
  };
  // Nothing is read ahead (`highWaterMark`): what is counted has been asked for.
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let chunk: Awaited<ReturnType<typeof reader.read>>;
        try {
          chunk = await reader.read();
        } catch (error) {
          // What could not be stored as well has been reported; the client hears what went wrong first.
          await Promise.allSettled([end()]);
          throw error;
        }
        if (chunk.done) {
          await end();
          controller.close();
        } else {
          responseSize += chunk.value.byteLength;
          if (responseSize >= length && visit.isDirty) await visit.commit();
          controller.enqueue(chunk.value);
        }
      },
      async cancel(reason) {
        try {
          await end();
        } finally {
          await reader.cancel(reason);
        }
      },
    },
    { highWaterMark: 0 },
  );
}
