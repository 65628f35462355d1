import type {
  Commit,
  CreateLimits,
  JsonValue,
  MetadataOp,
  NewSession,
  StoreCall,
  StoreQuery,
  StoreSettings,
  TrackBatch,
} from "@kyb/session-core/store";

export const HOUR = 3_600_000;
export const START: number = Date.UTC(2040, 0, 2, 10, 20, 0);
export const NO_LIMITS: CreateLimits = { maxSessions: undefined, user: undefined };

/** A call whose caller waits for ever. */
export const patient: StoreCall = { signal: new AbortController().signal };
/** A call whose caller does not wait. */
export const hasty: StoreCall = { signal: AbortSignal.abort() };

export function idOf(label: string): string {
  return `session-${label}`.padEnd(32, "-");
}

export function newSession(label: string, overrides: Partial<NewSession> = {}): NewSession {
  return {
    id: idOf(label),
    secretHash: `hash-${label}`.padEnd(43, "-"),
    transport: "cookie",
    userId: undefined,
    ipAddress: "192.0.2.1",
    userAgent: "Test/1.0",
    idleTimeout: HOUR,
    absoluteTimeout: 24 * HOUR,
    provisionalTimeout: undefined,
    metadata: {},
    metadataBytes: 0,
    ...overrides,
  };
}

export function commitOf(opId: string, overrides: Partial<Commit> = {}): Commit {
  return {
    opId,
    epoch: 0,
    secretHash: undefined,
    version: undefined,
    ops: [],
    maxMetadataBytes: 65_536,
    change: undefined,
    ...overrides,
  };
}

export function set(key: string, value: JsonValue): MetadataOp {
  return { kind: "set", key, value, bytes: JSON.stringify(value).length };
}

export function queryOf(overrides: Partial<StoreQuery> = {}): StoreQuery {
  return {
    userId: undefined,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "descending",
    limit: 50,
    offset: 0,
    cursor: undefined,
    ...overrides,
  };
}

/** One request of each session. */
export function requestsOf(ids: readonly string[], sequence: number, seenAt: number): TrackBatch {
  const request = { endpoint: "/", statusCode: 200, duration: 5 };
  const entry = {
    ...request,
    timestamp: seenAt,
    action: "request",
    method: "GET",
    requestSize: 0,
    responseSize: 100,
  };
  const items = ids.map((id) => ({
    id,
    seenAt,
    access: true,
    active: true,
    confirm: true,
    request,
    entry,
  }));
  return { instance: "tests", sequence, items };
}

export function settingsOf(
  now: () => number,
  overrides: Partial<StoreSettings> = {},
): StoreSettings {
  return {
    now,
    activityLimit: 100,
    activityBytes: 1_048_576,
    activityRetention: undefined,
    endedRetention: HOUR,
    maxEnded: undefined,
    metrics: true,
    ...overrides,
  };
}
