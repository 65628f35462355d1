import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

/** Sends what was held back, and answers the status. */
export type Release = () => Promise<number>;

/**
 * Sends the head of a form and holds back its body. Resolves when the server has taken the request, so that it has
 * opened the session: of many such forms, each has seen the session as it was before all of them.
 */
export async function holdPost(
  url: string,
  cookie: string,
  fields: Record<string, string>,
): Promise<Release> {
  const body = new URLSearchParams(fields).toString();
  const headers = {
    Cookie: cookie,
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": Buffer.byteLength(body),
    // The server asks for the body once it begins with the request (RFC 9110 §10.1.1).
    Expect: "100-continue",
  };
  const sent = request(url, { method: "POST", headers });
  const answered = once(sent, "response") as Promise<[IncomingMessage]>;
  sent.flushHeaders();
  await once(sent, "continue");
  return async () => {
    sent.end(body);
    const [response] = await answered;
    response.resume();
    await once(response, "end");
    return response.statusCode ?? 0;
  };
}
