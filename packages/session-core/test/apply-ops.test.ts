import { describe, expect, it } from "vitest";
import type { MetadataOp } from "../src/commit.ts";
import { EMPTY_METADATA, entryBytes, type JsonValue, type Metadata } from "../src/metadata.ts";
import { applyOps } from "../src/transition.ts";
import { SeededRandom } from "./support/seeded-random.ts";

describe("applying changes", () => {
  it("sets, adds and deletes in order", () => {
    const ops: MetadataOp[] = [
      set("n", 1),
      { kind: "increment", key: "n", by: 4 },
      { kind: "increment", key: "fresh", by: -2 },
      set("gone", true),
      { kind: "delete", key: "gone" },
    ];
    expect(data(applyOps(EMPTY, ops)).metadata).toEqual({ n: 5, fresh: -2 });
  });

  it("makes all changes or none", () => {
    const ops: MetadataOp[] = [set("text", "no number"), { kind: "increment", key: "text", by: 1 }];
    expect(applyOps(EMPTY, ops)).toEqual({ status: "refused", limit: "number", key: "text" });
  });

  it("refuses an increment that leaves the numbers", () => {
    const data = { metadata: metadataOf({ n: Number.MAX_VALUE }), bytes: 0 };
    const op = { kind: "increment", key: "n", by: Number.MAX_VALUE } as const;
    expect(applyOps(data, [op])).toMatchObject({ status: "refused", limit: "number" });
  });

  it("counts a missing value and null as 0", () => {
    const before = { metadata: metadataOf({ n: null }), bytes: 9 };
    const ops: MetadataOp[] = [
      { kind: "increment", key: "n", by: 1 },
      { kind: "increment", key: "m", by: 2 },
    ];
    expect(data(applyOps(before, ops))).toMatchObject({ metadata: { n: 1, m: 2 }, bytes: 12 });
  });

  it("answers frozen data without a prototype, and never changes what it was given", () => {
    const before = metadataOf({ a: 1 });
    const { metadata } = data(applyOps({ metadata: before, bytes: 6 }, [set("a", 2)]));
    expect(before).toEqual({ a: 1 });
    expect(Object.isFrozen(metadata)).toBe(true);
    expect(Object.getPrototypeOf(metadata)).toBe(null);
  });

  it("takes keys of the language for plain keys (R-71)", () => {
    const keys = ["constructor", "toString", "hasOwnProperty", "valueOf", "0", "42"];
    const { metadata } = data(
      applyOps(
        EMPTY,
        keys.map((key) => set(key, key)),
      ),
    );
    for (const key of keys) expect(metadata[key]).toBe(key);
    const deleted = data(applyOps(EMPTY, [{ kind: "delete", key: "toString" }]));
    expect(deleted.bytes).toBe(0);
    const added = data(applyOps(EMPTY, [{ kind: "increment", key: "valueOf", by: 1 }]));
    expect(added.metadata).toEqual({ valueOf: 1 });
  });

  it("keeps the size of the data as it would be counted from scratch, after any changes", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      let state = { metadata: EMPTY_METADATA, bytes: 0 };
      for (let step = 0; step < 40; step++) {
        const next = applyOps(state, [randomOp(random), randomOp(random)]);
        if (next.status === "refused") continue;
        state = next;
        expect(state.bytes).toBe(sizeOf(state.metadata));
      }
    }
  });

  it("counts one byte less than the JSON text of data that is not empty", () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 200; round++) {
      const { metadata, bytes } = data(
        applyOps(EMPTY, [set("first", randomValue(random, 3)), set("né", randomValue(random, 3))]),
      );
      expect(bytes).toBe(utf8(JSON.stringify(metadata)) - 1);
    }
  });
});

const EMPTY = { metadata: EMPTY_METADATA, bytes: 0 };

function data(result: ReturnType<typeof applyOps>): { metadata: Metadata; bytes: number } {
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

const KEYS = ["a", "b", "zähler", 'quote"d', "😀", "constructor", "7"];

function randomOp(random: SeededRandom): MetadataOp {
  const key = random.pick(KEYS);
  switch (random.below(4)) {
    case 0:
      return { kind: "delete", key };
    case 1:
      return { kind: "increment", key, by: random.pick([1, -1, 0.5, 1e21, 12_345]) };
    default:
      return set(key, randomValue(random, 3));
  }
}

function randomValue(random: SeededRandom, depth: number): JsonValue {
  const kind = random.below(depth === 0 ? 5 : 7);
  switch (kind) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick([0, -1, 1.5, 1e300, 5e-324, 123_456_789]);
    case 5:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
    case 6: {
      const value: Record<string, JsonValue> = {};
      for (let index = random.below(4); index > 0; index--) {
        value[random.pick(KEYS)] = randomValue(random, depth - 1);
      }
      return value;
    }
    default:
      return random.pick([
        "",
        "text",
        "tab\t",
        'quo"te',
        "back\\slash",
        "é",
        "€",
        "😀",
        "\ud800",
        "\u0007",
      ]);
  }
}
