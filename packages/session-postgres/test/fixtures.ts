import type { NewSession, StoreCall, StoreQuery } from "@kyb/session-core/store";

export const NO_LIMITS = { maxSessions: undefined, user: undefined } as const;

/** A call that nobody gives up. */
export const call: StoreCall = { signal: new AbortController().signal };

/** A session of one day; the label makes its id and its secret's hash. */
export function newSession(label: string, overrides: Partial<NewSession> = {}): NewSession {
  return {
    id: `id-of-${label}`.padEnd(32, "x"),
    secretHash: `hash of ${label}`,
    transport: "cookie",
    userId: undefined,
    ipAddress: "192.0.2.7",
    userAgent: "Tests/1.0",
    idleTimeout: 3_600_000,
    absoluteTimeout: 86_400_000,
    provisionalTimeout: undefined,
    metadata: {},
    metadataBytes: 0,
    ...overrides,
  };
}

export function queryOf(overrides: Partial<StoreQuery> = {}): StoreQuery {
  return {
    userId: undefined,
    status: "all",
    search: undefined,
    sort: "createdAt",
    direction: "descending",
    limit: 50,
    offset: 0,
    cursor: undefined,
    ...overrides,
  };
}

/** The error that an action ends with, whether it throws or rejects; else what it answers. */
export async function thrownBy(action: () => unknown): Promise<unknown> {
  try {
    return await action();
  } catch (error) {
    return error;
  }
}

/** The code of the error that an action ends with. */
export async function codeOf(action: () => unknown): Promise<unknown> {
  const error = await thrownBy(action);
  return error instanceof Error && "code" in error ? error.code : error;
}
