import type { Commit, SecretChange } from "../../src/commit.ts";
import { EMPTY_METADATA } from "../../src/metadata.ts";
import type { NewSession } from "../../src/new-session.ts";
import type { SessionRecord, SessionState } from "../../src/record.ts";
import { initialState } from "../../src/transition.ts";
import { DAY, HOUR, MINUTE, START } from "./clock.ts";

/** 43 characters that stand for a hash. */
export function hashOf(label: string): string {
  return label.padEnd(43, "-");
}

export function newSession(overrides: Partial<NewSession> = {}): NewSession {
  return {
    id: "session-of-the-tests-0123456789",
    secretHash: hashOf("first"),
    transport: "cookie",
    userId: undefined,
    ipAddress: "192.0.2.1",
    userAgent: "Test/1.0",
    idleTimeout: HOUR,
    absoluteTimeout: DAY,
    provisionalTimeout: undefined,
    metadata: EMPTY_METADATA,
    metadataBytes: 0,
    ...overrides,
  };
}

export function stateOf(overrides: Partial<SessionState> = {}): SessionState {
  return { ...initialState(newSession(), START), ...overrides };
}

export function recordOf(
  overrides: Partial<SessionRecord> & { state?: SessionState } = {},
): SessionRecord {
  return {
    state: stateOf(),
    lastAccessTime: START,
    lastActivityTime: START,
    requestCount: 0,
    confirmed: false,
    endedAt: undefined,
    endReason: undefined,
    ...overrides,
  };
}

export function commitOf(overrides: Partial<Commit> = {}): Commit {
  return {
    opId: "op",
    epoch: 0,
    secretHash: undefined,
    version: undefined,
    ops: [],
    maxMetadataBytes: 65_536,
    change: undefined,
    ...overrides,
  };
}

export function signInOf(
  overrides: Partial<Extract<SecretChange, { kind: "sign-in" }>> = {},
): SecretChange {
  return {
    kind: "sign-in",
    secretHash: hashOf("second"),
    userId: "alice",
    keep: [],
    idleTimeout: 30 * MINUTE,
    absoluteTimeout: 12 * HOUR,
    limit: undefined,
    ...overrides,
  };
}

/** What a store far away answers: a record that does not move on. */
export function snapshotOf(record: SessionRecord): SessionRecord {
  const { state, lastAccessTime, lastActivityTime, requestCount, confirmed, endedAt, endReason } =
    record;
  return { state, lastAccessTime, lastActivityTime, requestCount, confirmed, endedAt, endReason };
}
