/** Every code a {@link SessionError} can carry. Cause and remedy of each: docs/errors.md. */
export type SessionErrorCode =
  | "INVALID_CONFIG"
  | "INVALID_ARGUMENT"
  | "INVALID_VALUE"
  | "METADATA_TOO_LARGE"
  | "CREDENTIALS_CONFLICT"
  | "SESSION_ENDED"
  | "SESSION_SUPERSEDED"
  | "USER_LIMIT"
  | "UPDATE_CONFLICT"
  | "STORE_FULL"
  | "STORE_UNAVAILABLE"
  | "STORE_MISCONFIGURED"
  | "RECORD_UNREADABLE"
  | "HEADERS_SENT"
  | "VISIT_FINISHED"
  | "UNSUPPORTED"
  | "DISABLED";

const STATUS: Record<SessionErrorCode, number> = {
  INVALID_CONFIG: 500,
  INVALID_ARGUMENT: 500,
  INVALID_VALUE: 500,
  METADATA_TOO_LARGE: 413,
  CREDENTIALS_CONFLICT: 400,
  SESSION_ENDED: 409,
  SESSION_SUPERSEDED: 409,
  USER_LIMIT: 409,
  UPDATE_CONFLICT: 409,
  STORE_FULL: 503,
  STORE_UNAVAILABLE: 503,
  STORE_MISCONFIGURED: 503,
  RECORD_UNREADABLE: 503,
  HEADERS_SENT: 500,
  VISIT_FINISHED: 500,
  UNSUPPORTED: 501,
  DISABLED: 501,
};

const OUTAGES: ReadonlySet<SessionErrorCode> = new Set([
  "STORE_UNAVAILABLE",
  "STORE_MISCONFIGURED",
  "RECORD_UNREADABLE",
]);

/** Seconds a client is asked to wait after a 503. */
const RETRY_AFTER = "1";

/**
 * The one error of this project. `code` is stable and meant for programs, `message` for people.
 *
 * `status`, `expose` and `headers` are what Express and Koa read, `getResponse()` is what Hono reads,
 * so that each host's default error handling answers with the right status.
 * A message never contains a token, a secret or a store's own words (those are in `cause`).
 */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code: SessionErrorCode;
  /** HTTP status that fits, also as `statusCode` for hosts that read that name. */
  readonly status: number;
  readonly statusCode: number;
  /** Whether `message` may be shown to the client: true below 500. */
  readonly expose: boolean;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: SessionErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.status = STATUS[code];
    this.statusCode = this.status;
    this.expose = this.status < 500;
    this.headers = this.status === 503 ? { "Retry-After": RETRY_AFTER } : {};
  }

  /** The answer in the management API's envelope; a message that may not be shown is replaced. */
  getResponse(): Response {
    const error = this.expose ? this.message : "The session could not be used.";
    return Response.json(
      { success: false, error, code: this.code },
      { status: this.status, headers: { ...this.headers, "Cache-Control": "no-store" } },
    );
  }
}

/**
 * Whether an error says that nobody could look: not that the session is not there. An outage is never answered with an
 * empty session and never clears a cookie.
 */
export function isOutage(error: unknown): error is SessionError {
  return isSessionError(error) && OUTAGES.has(error.code);
}

/** Whether `error` is a {@link SessionError}, also one from another copy of this package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === "SessionError" && "code" in error;
}
