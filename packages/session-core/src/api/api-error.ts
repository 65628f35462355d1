/** Every code that the management API adds to those of `SessionError`. */
export type ApiErrorCode =
  | "INVALID_PARAMETER"
  | "INVALID_BODY"
  | "CROSS_SITE"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "NO_SESSION"
  | "BODY_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "INTERNAL";

const STATUS: Record<ApiErrorCode, number> = {
  INVALID_PARAMETER: 400,
  INVALID_BODY: 400,
  CROSS_SITE: 403,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NO_SESSION: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTERNAL: 500,
};

/** A request that the management API refuses. The message is for the client; it never leaves the API as an error. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ApiErrorCode,
    message: string,
    options: { readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = STATUS[code];
    this.headers = options.headers ?? {};
  }
}

/** One answer for an id that is unknown, foreign or refused, so that nobody learns which ids exist. */
export function noSuchSession(): ApiError {
  return new ApiError("NOT_FOUND", "There is no such session.");
}

/** The answer where no id could be learnt from it. */
export function forbidden(): ApiError {
  return new ApiError("FORBIDDEN", "You may not do this.");
}
