import type {
  ActivityEntry,
  Commit,
  CreateLimits,
  JsonValue,
  Metadata,
  MetadataOp,
  NewSession,
  SecretChange,
  SessionRecord,
  SessionState,
  StoreQuery,
  StoreSettings,
  TrackItem,
} from "./contract.ts";
import { hashText, seededRandom } from "./random.ts";

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;

/** Where the suite's clock starts: far ahead, so that a store's own expiry by wall clock never comes between. */
export const START: number = Date.UTC(2040, 0, 2, 10, 20, 0);

/** The durations of every session that does not say otherwise; all different, so that none passes for another. */
export const IDLE: number = 30 * MINUTE;
export const ABSOLUTE: number = 8 * HOUR;
export const PROVISIONAL: number = 10 * MINUTE;

export const NO_LIMITS: CreateLimits = { maxSessions: undefined, user: undefined };

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A public id of 32 characters; the same label gives the same id. */
export function idOf(label: string): string {
  return base64url(`id ${label}`, 32);
}

/** What the SHA-256 of a secret looks like: 43 characters that stand for exactly 32 bytes. */
export function hashOf(label: string): string {
  // 43 characters carry two bits more than 32 bytes have; they are zero in the last one.
  return (
    base64url(`hash ${label}`, 42) + (ALPHABET[seededRandom(hashText(label)).below(16) * 4] ?? "A")
  );
}

function base64url(label: string, length: number): string {
  const random = seededRandom(hashText(label));
  let text = "";
  while (text.length < length) text += ALPHABET[random.below(64)];
  return text;
}

/** Session data as the core hands it to a store: without a prototype, frozen to its depth. */
export function metadataOf(values: Readonly<Record<string, JsonValue>> = {}): Metadata {
  const metadata: Record<string, JsonValue> = Object.create(null);
  for (const [key, value] of Object.entries(values)) metadata[key] = freeze(value);
  return Object.freeze(metadata);
}

function freeze(value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object") return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

export function newSession(label: string, overrides: Partial<NewSession> = {}): NewSession {
  const metadata = overrides.metadata ?? metadataOf();
  return {
    id: idOf(label),
    secretHash: hashOf(label),
    transport: "cookie",
    userId: undefined,
    ipAddress: "192.0.2.7",
    userAgent: "Testkit/1.0",
    idleTimeout: IDLE,
    absoluteTimeout: ABSOLUTE,
    provisionalTimeout: undefined,
    metadataBytes: sizeOf(metadata),
    ...overrides,
    metadata,
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
  return { kind: "set", key, value: freeze(value), bytes: bytesOf(JSON.stringify(value)) };
}

export function remove(key: string): MetadataOp {
  return { kind: "delete", key };
}

export function increment(key: string, by = 1): MetadataOp {
  return { kind: "increment", key, by };
}

export type SignIn = Extract<SecretChange, { kind: "sign-in" }>;

/** A change that signs in and keeps nothing, unless it says otherwise. */
export function signIn(userId: string, overrides: Partial<SignIn> = {}): SignIn {
  return {
    kind: "sign-in",
    secretHash: hashOf(`sign-in of ${userId}`),
    userId,
    keep: [],
    idleTimeout: IDLE,
    absoluteTimeout: ABSOLUTE,
    limit: undefined,
    ...overrides,
  };
}

export function trackItem(
  id: string,
  seenAt: number,
  overrides: Partial<TrackItem> = {},
): TrackItem {
  return {
    id,
    seenAt,
    access: true,
    active: true,
    confirm: true,
    request: undefined,
    entry: undefined,
    ...overrides,
  };
}

/** What the core sends for one finished request. */
export function requestItem(
  id: string,
  seenAt: number,
  request: Partial<ActivityEntry> = {},
  overrides: Partial<TrackItem> = {},
): TrackItem {
  const entry = entryOf({ timestamp: seenAt, ...request });
  const { endpoint, statusCode, duration } = entry;
  return trackItem(id, seenAt, {
    request: { endpoint, statusCode, duration },
    entry,
    ...overrides,
  });
}

export function entryOf(overrides: Partial<ActivityEntry>): ActivityEntry {
  return {
    timestamp: START,
    action: "request",
    endpoint: "/",
    method: "GET",
    statusCode: 200,
    duration: 5,
    requestSize: 0,
    responseSize: 100,
    ...overrides,
  };
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
    maxEnded: 1000,
    metrics: true,
    ...overrides,
  };
}

/** A copy of a record that later changes of the store cannot reach, whatever it is made of. */
export function snapshot(record: SessionRecord): SessionRecord {
  return {
    state: snapshotState(record.state),
    lastAccessTime: record.lastAccessTime,
    lastActivityTime: record.lastActivityTime,
    requestCount: record.requestCount,
    confirmed: record.confirmed,
    endedAt: record.endedAt,
    endReason: record.endReason,
  };
}

/** A copy, also of what is no JSON, so that a case can say so. */
function copyOf<Value extends JsonValue>(value: Value): Value {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(copyOf) as unknown as Value;
  const entries = Object.entries(value).map(([key, item]) => [key, copyOf(item)] as const);
  return Object.fromEntries(entries) as Value;
}

export function snapshotState(state: SessionState): SessionState {
  return {
    id: state.id,
    secretHash: state.secretHash,
    transport: state.transport,
    epoch: state.epoch,
    version: state.version,
    userId: state.userId,
    ipAddress: state.ipAddress,
    userAgent: state.userAgent,
    createdAt: state.createdAt,
    secretIssuedAt: state.secretIssuedAt,
    authenticatedAt: state.authenticatedAt,
    idleTimeout: state.idleTimeout,
    absoluteEnd: state.absoluteEnd,
    provisionalEnd: state.provisionalEnd,
    metadata: copyOf(state.metadata),
    metadataBytes: state.metadataBytes,
    retired: state.retired.map(({ hash, at, kind }) => ({ hash, at, kind })),
    pending: state.pending && { ...state.pending },
  };
}

/** Keys and values as JSON with what stands between them, as the core counts. */
function sizeOf(metadata: Metadata): number {
  let total = 0;
  for (const [key, value] of Object.entries(metadata)) {
    total += bytesOf(JSON.stringify(key)) + bytesOf(JSON.stringify(value)) + 2;
  }
  return total;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
