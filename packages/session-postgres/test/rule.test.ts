import {
  applyCommit,
  type Commit,
  type JsonValue,
  type MetadataOp,
  type NewSession,
  type SecretChange,
  type SessionState,
} from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, NO_LIMITS, newSession } from "./fixtures.ts";
import { Bench } from "./harness.ts";

const STATES = 60;
const COMMITS = 12;
const START = Date.UTC(2040, 0, 1);

const KEYS = ["a", "b", "n", "0", "constructor", "ü😀", 'quote " \\', "nul \0", "lone \ud800"];
const VALUES: readonly JsonValue[] = [
  null,
  true,
  "text",
  "nul \0 lone \udc00 漢😀",
  [1, [2, { deep: "yes" }]],
  { "": 0, x: [] },
  {},
  "x".repeat(60),
];
const NUMBERS = [
  0,
  1,
  -1,
  0.1,
  0.2,
  1e15,
  1e16,
  123_456_789_012_345_680,
  1e20,
  1e21,
  1.5e300,
  1.7e308,
  -1.7e308,
  5e-7,
  1e-6,
  1.25e-7,
  5e-324,
  2 ** 53,

  3.125,
  -0,
];

describeWithServer("postgres", "the rule of a commit", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());

  it(`is the core's, for ${STATES} random sessions with ${COMMITS} random changes each`, async () => {
    let time = START;
    const store = bench.store({ clock: { now: () => time } });
    const seen: Record<string, number> = {};
    for (let seed = 1; seed <= STATES; seed++) {
      time = START;
      const random = seeded(seed);
      const session = newSession(`state ${seed}`, drawSession(random));
      const created = await store.create(session, NO_LIMITS, call);
      if (created.status !== "created") return expect.unreachable(created.status);
      let { state } = created.record;
      for (let step = 0; step < COMMITS; step++) {
        time += random.below(1000);
        const commit = drawCommit(random, state, `${seed} ${step}`);
        const expected = applyCommit(state, commit, time);
        const answer = await store.commit(session.id, commit, call);
        const what = `seed ${seed}, step ${step}: ${JSON.stringify(commit)} on ${JSON.stringify(state.metadata)}`;
        seen[expected.status] = (seen[expected.status] ?? 0) + 1;
        if (expected.status === "applied") {
          if (answer.status !== "applied")
            return expect.unreachable(`${what}: ${JSON.stringify(answer)}`);
          expect(plain(answer.record.state), what).toEqual(plain(expected.state));
          state = answer.record.state;
          continue;
        }
        if (expected.status === "conflict") expect(answer.status, what).toBe("conflict");
        else expect(answer, what).toEqual(expected);
        const found = await store.find(session.id, call);
        expect(found && plain(found.state), what).toEqual(plain(state));
      }
    }
    expect(Object.keys(seen).sort()).toEqual(["applied", "conflict", "refused", "superseded"]);
  });

  it("writes sums as JavaScript does", async () => {
    const random = seeded(7);
    const numbers = Array.from({ length: 3000 }, () => drawNumber(random)).concat(NUMBERS);
    const { rows } = await bench.pool.query(
      `SELECT array_agg("${bench.schema}".kyb_session_js_number(x::float8) ORDER BY place)::text[] AS texts
        FROM unnest($1::text[]) WITH ORDINALITY AS given(x, place)`,
      [numbers.map(String)],
    );
    expect((rows[0] as { texts: string[] }).texts).toEqual(numbers.map(String));
  });
});

interface Random {
  below(limit: number): number;
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** mulberry32. */
function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    chance: (share) => next() < share,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
  };
}

/** Any double but NaN and the infinities. */
function drawNumber(random: Random): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, random.below(2 ** 32));
  view.setUint32(4, random.below(2 ** 32));
  const number = view.getFloat64(0);
  if (!Number.isFinite(number)) return 1;
  return random.chance(0.5) ? number : Math.round((number % 1e9) * 1000) / 1000;
}

function drawSession(random: Random): Partial<NewSession> {
  const metadata: Record<string, JsonValue> = Object.create(null);
  for (let count = random.below(4); count > 0; count--)
    metadata[random.pick(KEYS)] = drawValue(random);
  const metadataBytes = Object.entries(metadata).reduce(
    (sum, [key, value]) => sum + bytes(key) + bytes(value) + 2,
    0,
  );
  return {
    metadata,
    metadataBytes,
    userId: random.chance(0.5) ? random.pick(["ann", "bo\0b", "\ud83d lone"]) : undefined,
    provisionalTimeout: random.chance(0.5) ? 600_000 : undefined,
  };
}

function drawValue(random: Random): JsonValue {
  // -0 is 0 in JSON text.
  return random.chance(0.4) ? random.pick(NUMBERS) + 0 : random.pick(VALUES);
}

function drawCommit(random: Random, state: SessionState, opId: string): Commit {
  const change = drawChange(random, opId);
  const held = change?.kind === "promote" ? state.pending?.hash : state.secretHash;
  return {
    opId,
    epoch: random.chance(0.95) ? state.epoch : state.epoch + 1,
    secretHash: random.chance(0.5) ? (random.chance(0.9) ? held : "another") : undefined,
    version: random.chance(0.3) ? state.version - random.below(2) : undefined,
    ops: Array.from({ length: random.below(4) }, () => drawOp(random)),
    maxMetadataBytes: random.pick([65_536, 200, 60]),
    change,
  };
}

function drawOp(random: Random): MetadataOp {
  const key = random.pick(KEYS);
  const kind = random.pick(["set", "set", "delete", "increment"] as const);
  if (kind === "delete") return { kind, key };
  if (kind === "increment") return { kind, key, by: random.pick(NUMBERS) };
  const value = drawValue(random);
  return { kind, key, value, bytes: bytes(value) };
}

function drawChange(random: Random, name: string): SecretChange | undefined {
  const secretHash = `hash ${name}`;
  switch (random.below(9)) {
    case 0:
      return {
        kind: "sign-in",
        secretHash,
        userId: random.pick(["ann", "bob"]),
        keep: random.chance(0.3) ? true : [random.pick(KEYS), "n", "n", random.pick(KEYS)],
        idleTimeout: 3_600_000 + random.below(1000),
        absoluteTimeout: 86_400_000,
        limit: undefined,
      };
    case 1:
      return { kind: "regenerate", secretHash };
    case 2:
    case 3:
      return { kind: "offer", secretHash, nonce: `nonce ${name}` };
    case 4:
    case 5:
      return { kind: "promote" };
    default:
      return undefined;
  }
}

function bytes(value: JsonValue): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** Without prototypes, which `toEqual` does not look at but prints. */
function plain(state: SessionState): unknown {
  return { ...state, metadata: { ...state.metadata } };
}
