import { isSessionError, type SessionErrorCode } from "../errors.ts";
import { ApiError, type ApiErrorCode } from "./api-error.ts";

/** An answer before it is written: what is `undefined` in the body is left out. */
export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is said where the core's own words are not for clients. */
const SENTENCES: Partial<Record<SessionErrorCode, string>> = {
  STORE_FULL: "There is no room for another session at the moment.",
  STORE_UNAVAILABLE: "The session store cannot be reached at the moment.",
  STORE_MISCONFIGURED: "The session store cannot be used at the moment.",
  RECORD_UNREADABLE: "The session cannot be read.",
  DISABLED: "This is switched off.",
  UNSUPPORTED: "This is not supported here.",
};

/** On every answer, whatever it says (R-64; ASVS 14.3.2, 3.5.8). */
const HEADERS = {
  "Content-Type": "application/json; charset=utf-8",
  "Cache-Control": "no-store",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Where a session's token may stand.
  Vary: "Cookie, Authorization, X-Session-ID",
  "X-Content-Type-Options": "nosniff",
};

/** Writes an answer. Its length is known, so nobody has to follow the body to its end. */
export function respond(method: string, { status, body, headers }: Answer): Response {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return new Response(method === "HEAD" ? null : bytes, {
    status,
    headers: { ...HEADERS, "Content-Length": String(bytes.byteLength), ...headers },
  });
}

/**
 * The answer for an error, in the envelope. What went wrong in the server is reported and answered in general
 * terms: neither a stack nor the words of a store reach the client.
 */
export function failure(error: unknown): Answer {
  if (error instanceof ApiError)
    return envelope(error.status, error.code, error.message, error.headers);
  if (isSessionError(error)) {
    // What the core refuses of the data can only be the client's: the API has no data of its own.
    if (error.code === "INVALID_VALUE") return envelope(400, error.code, error.message);
    const sentence = error.expose ? error.message : SENTENCES[error.code];
    if (sentence !== undefined) return envelope(error.status, error.code, sentence, error.headers);
  }
  reportFailure("a request to the management API failed", error);
  return envelope(500, "INTERNAL", "Something went wrong in the server.");
}

/** Tells of what no answer tells. The console, because the request that it belongs to is answered all the same. */
export function reportFailure(what: string, error: unknown): void {
  console.error(`@kyb/session: ${what}`, error);
}

function envelope(
  status: number,
  code: ApiErrorCode | SessionErrorCode,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, body: { success: false, error, code }, headers };
}
