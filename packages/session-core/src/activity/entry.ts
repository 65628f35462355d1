import type { JsonValue } from "../metadata.ts";

/** One line of a session's timeline. */
export interface ActivityEntry {
  /** Epoch milliseconds: when the request arrived, or when the action was recorded. */
  readonly timestamp: number;
  /** `request`, or the name given to `session.track`. */
  readonly action: string;
  /** Path without its query string, at most 2,048 characters. */
  readonly endpoint: string;
  readonly method: string;
  /** HTTP status; 499 when the client left before the headers did; 0 for a custom action. */
  readonly statusCode: number;
  /** Milliseconds from arrival to the last byte. */
  readonly duration: number;
  /** Bytes of the request body. */
  readonly requestSize: number;
  /** Bytes of the response body as it was sent. */
  readonly responseSize: number;
  readonly metadata?: { readonly [key: string]: JsonValue };
}

/** The part of an entry that the metrics count. */
export type RequestSample = Pick<ActivityEntry, "endpoint" | "statusCode" | "duration">;
