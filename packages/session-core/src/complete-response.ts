import type { Visit } from "./visit.ts";

/**
 * Ends a visit on a host that speaks `Response`: stores what changed, writes the cookie, and follows the body to its
 * end. The body is wrapped only where its size or its end is not known otherwise.
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
  const announced = sealed.headers.get("content-length");
  if (body === null || method === "HEAD" || announced !== null) {
    visit.finish({
      status,
      responseSize: body === null || method === "HEAD" ? 0 : Number(announced),
    });
    return sealed;
  }
  return new Response(followed(body, visit, status), sealed);
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

/** The same bytes, counted; the visit ends when they have all been read, or when nobody wants them any more. */
function followed(
  body: ReadableStream<Uint8Array>,
  visit: Pick<Visit, "commit" | "finish" | "isDirty">,
  status: number,
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
