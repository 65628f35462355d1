import { describe, expect, it } from "vitest";
import { isSessionError, SessionError, type SessionErrorCode } from "../src/errors.ts";

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

for (const [code, status] of Object.entries(STATUS) as [SessionErrorCode, number][]) {
  describe(`a SessionError with ${code}`, () => {
    const cause = new Error("the driver's own words");
    const error = new SessionError(code, "What happened.", { cause });

    it("is what Express and Koa read", () => {
      expect(error).toMatchObject({
        name: "SessionError",
        code,
        status,
        statusCode: status,
        expose: status < 500,
      });
      expect(error.headers).toEqual(status === 503 ? { "Retry-After": "1" } : {});
      expect(error.cause).toBe(cause);
      expect(error).toBeInstanceOf(Error);
    });

    it("is what Hono reads: its answer shows the message only where it may be shown", async () => {
      const response = error.getResponse();
      expect(response.status).toBe(status);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(response.headers.get("content-type")).toContain("application/json");
      expect(response.headers.get("retry-after")).toBe(status === 503 ? "1" : null);
      const body = await response.text();
      expect(JSON.parse(body)).toEqual({
        success: false,
        error: status < 500 ? "What happened." : "The session could not be used.",
        code,
      });
      expect(body).not.toContain("driver");
    });
  });
}

describe("isSessionError", () => {
  it("knows one of another copy of this package", () => {
    class Foreign extends Error {
      override readonly name = "SessionError";
      readonly code = "STORE_FULL";
    }
    expect(isSessionError(new SessionError("DISABLED", "x"))).toBe(true);
    expect(isSessionError(new Foreign())).toBe(true);
  });

  it("knows nothing else", () => {
    const named = Object.assign(new Error("x"), { name: "SessionError" });
    for (const other of [
      new Error("x"),
      named,
      { name: "SessionError", code: "X" },
      "SessionError",
      null,
      undefined,
    ]) {
      expect(isSessionError(other)).toBe(false);
    }
  });
});
