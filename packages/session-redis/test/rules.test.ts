import {
  applyCommit,
  type Commit,
  type JsonValue,
  jsonBytes,
  type MetadataOp,
  type SecretChange,
  type SessionState,
} from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RedisStore } from "../src/redis-store.ts";
import { type Driver, drivers } from "./support.ts";

const START = Date.UTC(2040, 0, 1);
const KEYS = ["a", "ü", 'q"uote', "\ud800", "n", "constructor", "__proto__x", ""];
const NUMBERS = [
  0, 1, -1, 0.1, 1e21, 123_456_789_012_345_680_000, 1e-7, 5e-324, 1.7e308, -2.5, 1e15,
];

/** Choices that follow from a seed: mulberry32. */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

describeWithServer("redis", "the rule of a commit", (server) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await drivers["node-redis 6"](server().url);
  });
  afterAll(() => driver.close());

  it("is the same in Lua as in applyCommit, for 3,000 seeded commits (R-23, R-27)", async () => {
    const clock = { time: START, now: () => clock.time };
    const store = new RedisStore({ client: driver.client, prefix: "rules:", clock });
    const call = { signal: new AbortController().signal };
    const seen = new Map<string, number>();
    for (let seed = 1; seed <= 150; seed++) {
      const choices = new Choices(seed);
      const id = `session-${seed}`;
      const created = await store.create(
        {
          id,
          secretHash: "secret-0",
          transport: "cookie",
          userId: choices.pick([undefined, "ann", "b b"]),
          ipAddress: "192.0.2.1",
          userAgent: "test",
          idleTimeout: 1e9,
          absoluteTimeout: 1e10,
          provisionalTimeout: choices.pick([undefined, 1e8]),
          metadata: {},
          metadataBytes: 0,
        },
        { maxSessions: undefined, user: undefined },
        call,
      );
      if (created.status !== "created") return expect.unreachable("it was refused");
      let { state } = created.record;
      for (let step = 0; step < 20; step++) {
        clock.time += choices.below(1000);
        const commit = commitOf(choices, state, `${seed}-${step}`);
        const expected = applyCommit(state, commit, clock.time);
        const answer = await store.commit(id, commit, call);
        const { status } = expected;
        seen.set(status, (seen.get(status) ?? 0) + 1);
        const what = `seed ${seed}, step ${step}: ${JSON.stringify(commit)}`;
        expect(answer.status, what).toBe(status);
        if (expected.status === "refused") expect(answer, what).toEqual(expected);
        if (expected.status !== "applied" || answer.status !== "applied") continue;
        expect(answer.record.state, what).toEqual(expected.state);
        state = answer.record.state;
      }
    }
    await store.close();
    for (const status of ["applied", "superseded", "conflict", "refused"]) {
      expect(seen.get(status) ?? 0, status).toBeGreaterThan(20);
    }
  });
});

function commitOf(choices: Choices, state: SessionState, opId: string): Commit {
  const ops: MetadataOp[] = Array.from({ length: choices.below(4) }, () => opOf(choices));
  return {
    opId,
    epoch: choices.below(20) === 0 ? state.epoch + 1 : state.epoch,
    secretHash: choices.pick([undefined, state.secretHash, state.pending?.hash, state.secretHash]),
    version: choices.pick([undefined, undefined, state.version, state.version + 1]),
    ops,
    maxMetadataBytes: choices.pick([65_536, 65_536, 40, 0]),
    change: changeOf(choices, opId),
  };
}

function opOf(choices: Choices): MetadataOp {
  const key = choices.pick(KEYS);
  const kind = choices.pick(["set", "delete", "increment"] as const);
  if (kind === "delete") return { kind, key };
  if (kind === "increment") return { kind, key, by: choices.pick(NUMBERS) };
  const value = choices.pick<JsonValue>([
    null,
    true,
    "",
    "ü\n\u2028",
    [],
    {},
    [1, { a: null }],
    ...NUMBERS,
  ]);
  return { kind, key, value, bytes: jsonBytes(value) };
}

function changeOf(choices: Choices, opId: string): SecretChange | undefined {
  const secretHash = `secret-${opId}`;
  switch (choices.below(8)) {
    case 0:
      return {
        kind: "sign-in",
        secretHash,
        userId: choices.pick(["ann", "bob", "{x} \u0000"]),
        keep: choices.pick([true, [], ["a", "n", "nothing", "a"], KEYS] as const),
        idleTimeout: 2e9,
        absoluteTimeout: 2e10,
        limit: undefined,
      };
    case 1:
      return { kind: "regenerate", secretHash };
    case 2:
    case 3:
      return { kind: "offer", secretHash, nonce: `nonce ${opId}` };
    case 4:
    case 5:
      return { kind: "promote" };
    default:
      return undefined;
  }
}
