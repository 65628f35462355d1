// The door for people who write a store: the contract, its errors, and the pure rules that stores share.

export type { ActivityEntry, RequestSample } from "../activity/entry.ts";
export type * from "../commit.ts";
export { isOutage, isSessionError, SessionError, type SessionErrorCode } from "../errors.ts";
export { deadline, isProvisional, type Lifecycle, lifecycle } from "../lifecycle.ts";
export {
  EMPTY_METADATA,
  entryBytes,
  freezeJson,
  type JsonValue,
  jsonBytes,
  type Metadata,
} from "../metadata.ts";
export { Counters, type Gauges } from "../metrics/counters.ts";
export { DURATION_BUCKETS, MAX_ENDPOINTS, type StoreMetrics } from "../metrics/snapshot.ts";
export type * from "../new-session.ts";
export {
  type EndReason,
  MAX_RETIRED,
  type PendingSecret,
  RECORD_VERSION,
  type RetiredSecret,
  type SessionRecord,
  type SessionState,
  type Transport,
} from "../record.ts";
export type * from "../store.ts";
export type * from "../store-query.ts";
export { parseRecord, type StoredRecord } from "../stored-record.ts";
export { equalHashes } from "../token.ts";
export type * from "../track-batch.ts";
export { applyCommit, applyOps, initialState, type Transition } from "../transition.ts";
