import { describe, expect, it } from "vitest";
import { isSessionError, type SessionError } from "../src/errors.ts";
import { parseRecord, RECORD_VERSION, type StoredRecord } from "../src/store/index.ts";

type StoredState = StoredRecord["state"];

const STATE: StoredState = {
  id: "an-id",
  secretHash: "a-hash",
  transport: "cookie",
  epoch: 1,
  version: 3,
  userId: "ann",
  ipAddress: "192.0.2.1",
  userAgent: "",
  createdAt: 1000,
  secretIssuedAt: 1000,
  authenticatedAt: 1000,
  idleTimeout: 60_000,
  absoluteEnd: 90_000,
  provisionalEnd: null,
  metadata: { theme: "dark", cart: [{ id: 7 }] },
  metadataBytes: 40,
  retired: [{ hash: "an-old-hash", at: 900, kind: "sign-in" }],
  pending: null,
};

const STORED: StoredRecord = {
  version: RECORD_VERSION,
  state: STATE,
  lastAccessTime: 2000,
  lastActivityTime: 2000,
  requestCount: 5,
  confirmed: true,
  endedAt: null,
  endReason: null,
};

describe("parseRecord", () => {
  it("reads what was written, with null for absent", () => {
    const record = parseRecord(STORED);
    expect(record).toEqual({
      ...STORED,
      version: undefined,
      endedAt: undefined,
      endReason: undefined,
      state: { ...STATE, provisionalEnd: undefined, pending: undefined },
    });
  });

  it("answers data without a prototype and frozen to its depth, with __proto__ as plain data (R-71)", () => {
    const metadata: unknown = JSON.parse('{"__proto__":{"admin":true},"cart":[{"id":7}]}');
    const read = parseRecord(withState({ metadata })).state.metadata;
    expect(Object.getPrototypeOf(read)).toBeNull();
    expect(Object.hasOwn(read, "__proto__")).toBe(true);
    expect(read.admin).toBeUndefined();
    expect(Object.isFrozen(read)).toBe(true);
    expect(Object.isFrozen((read.cart as readonly unknown[])[0])).toBe(true);
  });

  it.each([0, RECORD_VERSION + 1, "1", undefined])("refuses version %s (F-28)", (version) => {
    expect(refusal({ ...STORED, version }).message).toMatch(/an-id.*version is/);
  });

  const wrong: readonly [string, StoredRecord][] = [
    ...wrongStates({
      id: 7,
      secretHash: "",
      transport: "carrier-pigeon",
      epoch: -1,
      version: 1.5,
      userId: 7,
      ipAddress: null,
      userAgent: undefined,
      createdAt: "1000",
      secretIssuedAt: Number.NaN,
      authenticatedAt: "now",
      idleTimeout: Number.POSITIVE_INFINITY,
      absoluteEnd: null,
      provisionalEnd: {},
      metadata: ["a"],
      metadataBytes: 2 ** 60,
      retired: [{ hash: "h", at: 1, kind: "lost" }],
      pending: { hash: "h", nonce: "n" },
    }),
    ["lastAccessTime", { ...STORED, lastAccessTime: null }],
    ["lastActivityTime", { ...STORED, lastActivityTime: "2000" }],
    ["requestCount", { ...STORED, requestCount: -1 }],
    ["confirmed", { ...STORED, confirmed: 1 }],
    ["endedAt", { ...STORED, endedAt: "yesterday" }],
    ["endReason", { ...STORED, endReason: "bored" }],
  ];

  it.each(wrong)("refuses a wrong %s and names it (R-72, F-54)", (field, stored) => {
    expect(refusal(stored).message).toContain(field === "id" ? "(unknown)" : field);
  });

  it("refuses more retired secrets than a session remembers, and none that is read loosely", () => {
    const old = { hash: "h", at: 1, kind: "rotated" };
    expect(parseRecord(withState({ retired: [old, old, old, old] })).state.retired).toHaveLength(4);
    expect(refusal(withState({ retired: [old, old, old, old, old] })).message).toContain("retired");
  });

  it("refuses data that no session can hold", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`);
    expect(refusal(withState({ metadata: { deep } })).cause).toMatchObject({
      code: "INVALID_VALUE",
    });
  });

  it("says nothing of the values: they may be secrets", () => {
    expect(refusal(withState({ epoch: "my-secret-value" })).message).not.toContain("my-secret");
  });
});

function withState(changes: Partial<StoredState>): StoredRecord {
  return { ...STORED, state: { ...STATE, ...changes } };
}

function wrongStates(changes: StoredState): [string, StoredRecord][] {
  return Object.entries(changes).map(([field, value]) => [field, withState({ [field]: value })]);
}

function refusal(stored: StoredRecord): SessionError {
  try {
    parseRecord(stored);
  } catch (error) {
    if (isSessionError(error) && error.code === "RECORD_UNREADABLE") return error;
    throw error;
  }
  throw new Error("The record was read.");
}
