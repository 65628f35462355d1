// Sessions

// Observation
export type { ActivityEntry } from "./activity/entry.ts";
export type {
  ClientFacts,
  ConnectionInfo,
  RequestHead,
  TrustFunction,
  TrustProxy,
} from "./client.ts";
export { completeResponse } from "./complete-response.ts";
// Configuration
export type { ActivityOptions, ResolvedConfig, SessionConfig } from "./config.ts";
export type { CookieOptions, ResolvedCookie } from "./cookie.ts";

// Data
export type { DataKey, DeepReadonly, NumberKey, Register, RegisteredData } from "./data.ts";
export type { Duration } from "./duration.ts";
export type { Clock, RandomBytes } from "./environment.ts";
// Errors
export { isSessionError, SessionError, type SessionErrorCode } from "./errors.ts";
export type {
  LostWriteReason,
  SessionEventListener,
  SessionEventName,
  SessionEvents,
  WithheldReason,
} from "./events.ts";
export type { ResponseHead } from "./issued-cookies.ts";
export { SessionManager } from "./manager.ts";
export { type MemoryStoreOptions, memoryStore } from "./memory/memory-store.ts";
export type { JsonValue } from "./metadata.ts";
export type { SessionMetrics } from "./metrics/session-metrics.ts";
// Moving
export { type MigrateOptions, migrate } from "./migrate/migrate.ts";
export type { MigrationReport } from "./migrate/report.ts";
export type { VisitOptions } from "./open.ts";
export type { ActivityQuery, SessionQuery } from "./query.ts";
export type { EndReason, Transport } from "./record.ts";
export type { RevokeResult, Session, SessionAvailability, SignInOptions } from "./session.ts";
export type { SessionInit } from "./session-init.ts";
export type { SessionFeatures, SessionStatus } from "./status.ts";
export type { SessionStore } from "./store.ts";
export type { Page, UserSession } from "./view.ts";
// Hosts
export type { Outcome, Visit } from "./visit.ts";
export type { SessionHandler, WrapOptions } from "./wrap.ts";
