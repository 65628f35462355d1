import { describe, expect, it } from "vitest";
import type { Commit, MetadataOp } from "../src/commit.ts";
import { entryBytes, type JsonValue, type Metadata } from "../src/metadata.ts";
import { MAX_RETIRED, type SessionState } from "../src/record.ts";
import { applyCommit, type applyOps, initialState, type Transition } from "../src/transition.ts";
import { DAY, HOUR, MINUTE, START } from "./support/clock.ts";
import { commitOf, hashOf, newSession, signInOf, stateOf } from "./support/records.ts";

const LATER = START + MINUTE;

describe("the state of a new session", () => {
  it("has both deadlines from the store's clock, and epoch and version 0", () => {
    expect(initialState(newSession({ provisionalTimeout: 5 * MINUTE }), START)).toEqual({
      id: "session-of-the-tests-0123456789",
      secretHash: hashOf("first"),
      transport: "cookie",
      epoch: 0,
      version: 0,
      userId: undefined,
      ipAddress: "192.0.2.1",
      userAgent: "Test/1.0",
      createdAt: START,
      secretIssuedAt: START,
      authenticatedAt: undefined,
      idleTimeout: HOUR,
      absoluteEnd: START + DAY,
      provisionalEnd: START + 5 * MINUTE,
      metadata: {},
      metadataBytes: 0,
      retired: [],
      pending: undefined,
    });
  });

  it("counts a session that is made for a user as authenticated", () => {
    expect(initialState(newSession({ userId: "alice" }), START).authenticatedAt).toBe(START);
  });
});

describe("a commit", () => {
  it("changes data, raises the version and leaves the epoch", () => {
    const next = applied(stateOf(), commitOf({ ops: [set("theme", "dark")] }));
    expect(next.metadata).toEqual({ theme: "dark" });
    expect(next.version).toBe(1);
    expect(next.epoch).toBe(0);
  });

  it("is superseded by any other epoch, and changes nothing", () => {
    const state = stateOf({ epoch: 3 });
    for (const epoch of [2, 4]) {
      expect(apply(state, commitOf({ epoch, ops: [set("a", 1)] }))).toEqual({
        status: "superseded",
      });
    }
  });

  it("needs no secret where the secret does not change", () => {
    expect(apply(stateOf(), commitOf({ ops: [set("a", 1)] })).status).toBe("applied");
  });

  it("is superseded where the secret that it names is not the current one", () => {
    const commit = commitOf({ secretHash: hashOf("old"), change: signInOf() });
    expect(apply(stateOf(), commit)).toEqual({ status: "superseded" });
  });

  it("conflicts where the version that it names is not the current one", () => {
    const state = stateOf({ version: 2 });
    expect(apply(state, commitOf({ version: 1, ops: [set("a", 1)] }))).toEqual({
      status: "conflict",
    });
    expect(apply(state, commitOf({ version: 2, ops: [set("a", 1)] })).status).toBe("applied");
  });

  it("says superseded rather than conflict, because trying again does not help", () => {
    expect(apply(stateOf({ epoch: 1, version: 1 }), commitOf({ version: 0 }))).toEqual({
      status: "superseded",
    });
  });

  it("refuses more data than there may be", () => {
    const commit = commitOf({ ops: [set("text", "x".repeat(100))], maxMetadataBytes: 100 });
    expect(apply(stateOf(), commit)).toMatchObject({ status: "refused", limit: "metadata" });
  });

  it("lets data shrink that is already over the limit", () => {
    const big = applied(stateOf(), commitOf({ ops: [set("a", "x".repeat(100)), set("b", 1)] }));
    const commit = commitOf({ ops: [{ kind: "delete", key: "b" }], maxMetadataBytes: 50 });
    expect(apply(big, commit).status).toBe("applied");
  });

  it("settles a provisional session with the first thing that is stored, not with an empty commit", () => {
    const state = stateOf({ provisionalEnd: START + MINUTE });
    expect(applied(state, commitOf()).provisionalEnd).toBe(START + MINUTE);
    expect(applied(state, commitOf({ ops: [set("a", 1)] })).provisionalEnd).toBeUndefined();
  });
});

describe("a sign-in (R-21)", () => {
  const before = stateOf({
    provisionalEnd: START + MINUTE,
    metadata: metadataOf({ cart: ["tea"], theme: "dark" }),
    metadataBytes: sizeOf({ cart: ["tea"], theme: "dark" }),
  });
  const signIn = (overrides: Parameters<typeof signInOf>[0] = {}, ops: MetadataOp[] = []) =>
    applied(
      before,
      commitOf({ secretHash: hashOf("first"), change: signInOf(overrides), ops }),
      LATER,
    );

  it("gives a user, a new secret and a new epoch", () => {
    expect(signIn()).toMatchObject({
      userId: "alice",
      secretHash: hashOf("second"),
      epoch: 1,
      version: 1,
      secretIssuedAt: LATER,
      authenticatedAt: LATER,
    });
  });

  it("keeps the id, the beginning and the address", () => {
    const { id, createdAt, ipAddress } = signIn();
    expect({ id, createdAt, ipAddress }).toEqual({
      id: before.id,
      createdAt: START,
      ipAddress: "192.0.2.1",
    });
  });

  it("starts both timeouts again (R-22)", () => {
    expect(signIn()).toMatchObject({
      idleTimeout: 30 * MINUTE,
      absoluteEnd: LATER + 12 * HOUR,
      provisionalEnd: undefined,
    });
  });

  it("retires the old secret at once", () => {
    expect(signIn().retired).toEqual([{ hash: hashOf("first"), at: LATER, kind: "sign-in" }]);
  });

  it("drops the data of before, but what is named", () => {
    expect(signIn().metadata).toEqual({});
    expect(signIn().metadataBytes).toBe(0);
    expect(signIn({ keep: ["cart"] }).metadata).toEqual({ cart: ["tea"] });
    expect(signIn({ keep: ["cart"] }).metadataBytes).toBe(sizeOf({ cart: ["tea"] }));
    expect(signIn({ keep: true }).metadata).toEqual({ cart: ["tea"], theme: "dark" });
  });

  it("keeps nothing inherited, whatever is named", () => {
    expect(signIn({ keep: ["toString", "constructor", "missing"] }).metadata).toEqual({});
  });

  it("counts a key that is named twice once", () => {
    expect(signIn({ keep: ["cart", "cart"] }).metadataBytes).toBe(sizeOf({ cart: ["tea"] }));
  });

  it("applies what comes with it on top of what is kept", () => {
    const next = signIn({ keep: ["cart"] }, [set("cart", []), set("role", "admin")]);
    expect(next.metadata).toEqual({ cart: [], role: "admin" });
  });
});

describe("a regeneration at once", () => {
  const next = applied(
    stateOf({ userId: "alice", metadata: metadataOf({ a: 1 }), metadataBytes: 5 }),
    commitOf({
      secretHash: hashOf("first"),
      change: { kind: "regenerate", secretHash: hashOf("second") },
    }),
    LATER,
  );

  it("changes the secret and the epoch, and nothing else", () => {
    expect(next).toMatchObject({
      secretHash: hashOf("second"),
      secretIssuedAt: LATER,
      epoch: 1,
      userId: "alice",
      metadata: { a: 1 },
      absoluteEnd: START + DAY,
    });
  });

  it("retires the old secret at once", () => {
    expect(next.retired).toEqual([{ hash: hashOf("first"), at: LATER, kind: "regenerated" }]);
  });
});

describe("a regeneration by time (R-23)", () => {
  const offer = (secretHash: string, nonce: string): Commit =>
    commitOf({
      secretHash: hashOf("first"),
      change: { kind: "offer", secretHash, nonce },
    });
  const offered = applied(stateOf(), offer(hashOf("second"), "nonce"), LATER);
  const promotion = commitOf({ secretHash: hashOf("second"), change: { kind: "promote" } });

  it("leaves the secret and the epoch while its successor is offered", () => {
    expect(offered).toMatchObject({
      secretHash: hashOf("first"),
      epoch: 0,
      pending: { hash: hashOf("second"), nonce: "nonce", at: LATER },
    });
  });

  it("has one successor: a second offer changes nothing (F-05)", () => {
    const again = applied(offered, offer(hashOf("third"), "other"), LATER + 1);
    expect(again.pending).toEqual(offered.pending);
  });

  it("takes place when the successor is presented", () => {
    const promoted = applied(offered, promotion, LATER + 5);
    expect(promoted).toMatchObject({
      secretHash: hashOf("second"),
      secretIssuedAt: LATER + 5,
      epoch: 0,
      pending: undefined,
    });
    expect(promoted.retired).toEqual([{ hash: hashOf("first"), at: LATER + 5, kind: "rotated" }]);
  });

  it("is refused to who presents something else", () => {
    expect(apply(offered, { ...promotion, secretHash: hashOf("first") }).status).toBe("superseded");
    expect(apply(stateOf(), promotion).status).toBe("superseded");
  });

  it("is over with a sign-in, which also kills the offered successor", () => {
    const next = applied(
      offered,
      commitOf({ secretHash: hashOf("first"), change: signInOf({ secretHash: hashOf("user's") }) }),
      LATER + 9,
    );
    expect(next.pending).toBeUndefined();
    expect(next.retired).toEqual([
      { hash: hashOf("first"), at: LATER + 9, kind: "sign-in" },
      { hash: hashOf("second"), at: LATER + 9, kind: "sign-in" },
    ]);
  });

  it("loses its grace with a sign-in: all predecessors are dead at once", () => {
    const promoted = applied(offered, promotion, LATER);
    const next = applied(
      promoted,
      commitOf({ secretHash: hashOf("second"), change: signInOf({ secretHash: hashOf("third") }) }),
      LATER + 9,
    );
    expect(next.retired.map(({ hash, kind }) => ({ hash, kind }))).toEqual([
      { hash: hashOf("second"), kind: "sign-in" },
      { hash: hashOf("first"), kind: "sign-in" },
    ]);
  });
});

describe("retired secrets", () => {
  it("are remembered, the newest first, four at most", () => {
    let state = stateOf({ secretHash: hashOf("0") });
    for (let turn = 1; turn <= 7; turn++) {
      const change = { kind: "regenerate", secretHash: hashOf(String(turn)) } as const;
      const commit = commitOf({ epoch: state.epoch, secretHash: state.secretHash, change });
      state = applied(state, commit, START + turn);
      expect(state.retired.length).toBe(Math.min(turn, MAX_RETIRED));
    }
    expect(MAX_RETIRED).toBe(4);
    expect(state.retired.map(({ hash }) => hash)).toEqual(["6", "5", "4", "3"].map(hashOf));
  });
});

function apply(state: SessionState, commit: Commit, now = START): Transition {
  return applyCommit(state, commit, now);
}

function applied(state: SessionState, commit: Commit, now = START): SessionState {
  const result = apply(state, commit, now);
  if (result.status !== "applied") throw new Error(`It was ${result.status}.`);
  return result.state;
}

function _data(result: ReturnType<typeof applyOps>): { metadata: Metadata; bytes: number } {
  if (result.status === "refused") throw new Error("It was refused.");
  return result;
}

function set(key: string, value: JsonValue): MetadataOp {
  return { kind: "set", key, value, bytes: utf8(JSON.stringify(value)) };
}

function metadataOf(values: Record<string, JsonValue>): Metadata {
  return Object.freeze(Object.assign(Object.create(null), values)) as Metadata;
}

/** The size of the data, counted by JSON itself. */
function sizeOf(metadata: Readonly<Record<string, JsonValue>>): number {
  return Object.entries(metadata)
    .map(([key, value]) => entryBytes(key, utf8(JSON.stringify(value))))
    .reduce((sum, bytes) => sum + bytes, 0);
}

function utf8(text: string): number {
  return new TextEncoder().encode(text).length;
}
