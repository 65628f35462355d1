import type { DeepReadonly, RegisteredData } from "./data.ts";
import { deadline, lifecycle } from "./lifecycle.ts";
import type { EndReason, SessionRecord, SessionState } from "./record.ts";

/** A session as it may be shown. Times are epoch milliseconds. Nothing in it is secret. */
export interface UserSession<Data extends object = RegisteredData> {
  /** Public: safe to log and to list. */
  readonly id: string;
  /** Undefined for an anonymous session. */
  readonly userId?: string | undefined;
  /** The address that the session was made from, in canonical form; `""` if unknown. */
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly createdAt: number;
  /** The latest request of any kind. */
  readonly lastAccessTime: number;
  /** The latest request that was the user's; the idle timeout runs from here. */
  readonly lastActivityTime: number;
  /** Requests that have been finished. */
  readonly requestCount: number;
  readonly isActive: boolean;
  /** When the session ends if nothing more happens. */
  readonly expiresAt: number;
  readonly endedAt?: number | undefined;
  readonly endReason?: EndReason | undefined;
  readonly metadata: DeepReadonly<Partial<Data>>;
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Pass it on to get the next page; undefined on the last one. */
  readonly nextCursor?: string | undefined;
  /** How many there are in all, where that is known. */
  readonly total?: number | undefined;
}

/**
 * A frozen snapshot of a record, without what nobody may see. `state`: the one that a request holds, where the
 * record may have moved on to a state that is not this request's to see.
 */
export function toUserSession<Data extends object>(
  record: SessionRecord,
  now: number,
  state: SessionState = record.state,
): UserSession<Data> {
  return Object.freeze({
    id: state.id,
    userId: state.userId,
    ipAddress: state.ipAddress,
    userAgent: state.userAgent,
    createdAt: state.createdAt,
    lastAccessTime: record.lastAccessTime,
    lastActivityTime: record.lastActivityTime,
    requestCount: record.requestCount,
    isActive: lifecycle(record, now) === "live",
    expiresAt: deadline(record),
    endedAt: record.endedAt,
    endReason: record.endReason,
    // The store keeps JSON; that it is this application's data is what the application promised.
    metadata: state.metadata as DeepReadonly<Partial<Data>>,
  });
}
