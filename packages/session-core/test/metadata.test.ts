import { describe, expect, it } from "vitest";
import { checkKey, freezeJson, type JsonValue, jsonBytes, MAX_DEPTH } from "../src/metadata.ts";
import { SeededRandom } from "./support/seeded-random.ts";

describe("copying session data", () => {
  const plain: [title: string, value: unknown][] = [
    ["a text", "text"],
    ["an empty text", ""],
    ["a number", -12.5],
    ["true", true],
    ["null", null],
    ["an empty array", []],
    ["an empty object", {}],
    ["nested data", { cart: [{ sku: "tea", count: 2 }], flags: { a: null, b: [[], [1]] } }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 })],
    ["keys that look like numbers", { 0: "a", 42: "b", "-1": "c", "1.5": "d" }],
    ["keys of the language", { constructor: 1, toString: "x", hasOwnProperty: null, valueOf: [] }],
  ];
  for (const [title, value] of plain) {
    it(`takes ${title}`, () => {
      expect(freezeJson(value, "key").value).toEqual(value);
    });
  }

  const refused: [title: string, value: unknown, place: string][] = [
    ["undefined", undefined, "key is undefined"],
    ["undefined in an object", { a: undefined }, "key.a is undefined"],
    ["a hole in an array", new Array(1), "key[0] is undefined"],
    ["NaN", Number.NaN, "key is NaN"],
    ["infinity", { a: [Number.POSITIVE_INFINITY] }, "key.a[0] is Infinity"],
    ["a bigint", 1n, "key is a bigint"],
    ["a symbol", Symbol("s"), "key is a symbol"],
    ["a function", { f: () => 1 }, "key.f is a function"],
    ["a Date", { at: new Date(0) }, "key.at is an instance of Date"],
    ["a Map", new Map(), "key is an instance of Map"],
    ["a Set", new Set(), "key is an instance of Set"],
    ["a typed array", new Uint8Array(2), "key is an instance of Uint8Array"],
    ["an instance of a class", new (class Basket {})(), "key is an instance of Basket"],
    ["a promise", Promise.resolve(1), "key is an instance of Promise"],
    ["an object that inherits", Object.create({ a: 1 }), "key is an instance of"],
    ["an error", new Error("x"), "key is an instance of Error"],
    ["the key __proto__", JSON.parse('{"a":{"__proto__":{"admin":true}}}'), '"__proto__"'],
  ];
  for (const [title, value, place] of refused) {
    it(`refuses ${title} and names the place`, () => {
      expect(() => freezeJson(value, "key")).toThrow(place);
      try {
        freezeJson(value, "key");
      } catch (error) {
        expect(error).toMatchObject({ name: "SessionError", code: "INVALID_VALUE" });
      }
    });
  }

  it("refuses a cycle", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => freezeJson(cycle, "key")).toThrow("or a cycle");
    const list: unknown[] = [];
    list.push(list);
    expect(() => freezeJson(list, "key")).toThrow("or a cycle");
  });

  it("takes 32 levels and refuses 33", () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1;
      for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
      return value;
    };
    expect(MAX_DEPTH).toBe(32);
    expect(freezeJson(nested(32), "key").value).toEqual(nested(32));
    expect(() => freezeJson(nested(33), "key")).toThrow("32 levels");
  });

  it("takes the same object twice, which is no cycle", () => {
    const shared = { a: 1 };
    expect(freezeJson([shared, shared], "key").value).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it("answers a copy that is frozen to its depth", () => {
    const original = { list: [{ a: 1 }], text: "x" };
    const { value } = freezeJson(original, "key");
    const copy = value as typeof original;
    original.list[0] = { a: 2 };
    expect(copy).toEqual({ list: [{ a: 1 }], text: "x" });
    for (const part of [copy, copy.list, copy.list[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it("changes nothing of the language, whatever it is given (R-71)", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    for (const text of ['{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}']) {
      try {
        freezeJson(JSON.parse(text), "key");
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_VALUE" });
      }
    }
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before);
  });
});

describe("measuring session data", () => {
  it("answers the bytes of the JSON text, for any data", () => {
    const random = new SeededRandom(42);
    for (let round = 0; round < 3000; round++) {
      const value = randomValue(random, 4);
      const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
      expect([freezeJson(value, "key").bytes, value]).toEqual([bytes, value]);
      expect([jsonBytes(value), value]).toEqual([bytes, value]);
    }
  });

  it("knows every character of the first two planes' borders", () => {
    const codes = [
      ...Array.from({ length: 0x100 }, (_, code) => code),
      0x7fe, 0x7ff, 0x800, 0x2028, 0x2029, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfffd, 0xffff,
    ]; // biome-ignore format: a list of codes
    for (const code of codes) {
      const text = String.fromCharCode(code);
      const bytes = new TextEncoder().encode(JSON.stringify(text)).length;
      expect([code, jsonBytes(text)]).toEqual([code, bytes]);
    }
  });
});

describe("a key", () => {
  it("is any text that is not empty", () => {
    for (const key of ["a", "constructor", "toString", "0", "a.b", "é", " "]) {
      expect(() => checkKey(key)).not.toThrow();
    }
  });

  it("is not empty, not __proto__, and a text", () => {
    expect(() => checkKey("")).toThrow("non-empty");
    expect(() => checkKey("__proto__")).toThrow("__proto__");
    for (const key of [undefined, null, 1, Symbol("s"), {}]) {
      expect(() => checkKey(key)).toThrow("non-empty string");
    }
  });
});

const TEXTS = [
  "", "plain", "tab\tline\n", 'quo"te', "back\\slash", "\u0000\u001f\u007f", "é", "€", "😀",
  "\ud800", "\udc00", "\udc00\ud800", "\ud83d", "\u2028", "a".repeat(50),
]; // biome-ignore format: a list of texts

function randomValue(random: SeededRandom, depth: number): JsonValue {
  switch (random.below(depth === 0 ? 4 : 6)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick([0, -0, 1, -1.25, 1e21, 1e-7, 123e300, Number.MAX_SAFE_INTEGER]);
    case 4:
      return Array.from({ length: random.below(5) }, () => randomValue(random, depth - 1));
    case 5: {
      const value: Record<string, JsonValue> = {};
      for (let index = random.below(5); index > 0; index--) {
        value[random.pick(TEXTS)] = randomValue(random, depth - 1);
      }
      return value;
    }
    default:
      return random.pick(TEXTS) + random.pick(TEXTS);
  }
}
