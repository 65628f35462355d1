import { expect } from "vitest";
import type { JsonValue, SessionRecord } from "../contract.ts";
import { increment, metadataOf, remove, set, signIn } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

/** Names that mean something to the language where an object has a prototype. */
const TREACHEROUS = ["constructor", "toString", "hasOwnProperty", "valueOf", "0", "length"];

const VALUES: Readonly<Record<string, JsonValue>> = {
  nothing: null,
  yes: true,
  no: false,
  zero: 0,
  tenth: 0.1,
  large: Number.MAX_SAFE_INTEGER,
  huge: 1e300,
  negative: -1.5,
  empty: "",
  text: 'ü 漢 😀 \u2028 " \\ / \n',
  "a key: with {everything} & 😀": "x",
  emptyList: [],
  emptyObject: {},
  nested: { list: [1, [2, { deep: "yes" }], null], object: { a: { b: [] } } },
};

export const dataCases: readonly StoreCase[] = inTopic("data", [
  {
    name: "every kind of JSON value comes back as it was given",
    async run(bench) {
      const { state } = await bench.create("a", { metadata: metadataOf(VALUES) });
      expect(state.metadata).toEqual(VALUES);
      expect((await bench.read(state.id)).state.metadata).toEqual(VALUES);
      const { state: other } = await bench.create("b");
      const ops = Object.entries(VALUES).map(([key, value]) => set(key, value));
      expect((await bench.apply(other.id, { ops })).state.metadata).toEqual(VALUES);
      expect((await bench.read(other.id)).state.metadata).toEqual(VALUES);
    },
  },
  {
    name: "data is frozen to its depth wherever a record is answered",
    async run(bench) {
      const metadata = metadataOf({ nested: { list: [{ a: 1 }] } });
      const { state } = await bench.create("a", { metadata });
      await bench.commit(state.id, { ops: [set("more", { list: [{ b: 1 }] })] });
      const answers: (SessionRecord | undefined)[] = [
        await bench.find(state.id),
        await bench.endIfDue(state.id),
        ...(await bench.list()).records,
      ];
      for (const version of [undefined, 7]) {
        const result = await bench.commit(state.id, { version, ops: [set("x", [1])] });
        answers.push("record" in result ? result.record : undefined);
      }
      for (const answer of answers) {
        if (answer === undefined) return expect.unreachable("no record was answered");
        expect(isFrozen(answer.state.metadata)).toBe(true);
      }
      expect(answers).toHaveLength(5);
    },
  },
  {
    name: "a state that was answered is a snapshot: what happens later does not show in it",
    async run(bench) {
      const { state } = await bench.create("a");
      const held = await bench.find(state.id);
      const committed = await bench.commit(state.id, { ops: [set("a", 1)] });
      await bench.apply(state.id, {
        ops: [set("a", 2)],
        change: signIn("ann", { keep: true }),
      });
      await bench.end(state.id);
      expect(held?.state).toEqual(state);
      if (committed.status !== "applied") return expect.unreachable("the commit was not applied");
      expect(committed.record.state).toMatchObject({ version: 1, epoch: 0, metadata: { a: 1 } });
    },
  },
  {
    name: "keys such as constructor, toString and 0 are plain data (R-71)",
    async run(bench) {
      const { state } = await bench.create("a");
      const empty = await bench.find(state.id);
      for (const key of TREACHEROUS) expect(empty?.state.metadata[key]).toBeUndefined();
      const counted = await bench.apply(state.id, {
        ops: TREACHEROUS.map((key) => increment(key)),
      });
      expect({ ...counted.state.metadata }).toEqual(
        Object.fromEntries(TREACHEROUS.map((key) => [key, 1])),
      );
      const signedIn = await bench.apply(state.id, {
        ops: [remove("length")],
        change: signIn("ann", { keep: ["toString", "length", "isPrototypeOf"] }),
      });
      expect(Object.keys(signedIn.state.metadata)).toEqual(["toString"]);
      const found = await bench.find(state.id);
      for (const key of ["constructor", "valueOf", "isPrototypeOf"]) {
        expect(found?.state.metadata[key], `${key} after it is gone`).toBeUndefined();
      }
    },
  },
  {
    name: "the key __proto__ is its own data or refused, and reaches no prototype (R-71)",
    async run(bench) {
      const { state } = await bench.create("a");
      const evil = { polluted: "yes" };
      try {
        await bench.commit(state.id, { ops: [set("__proto__", evil), set("a", 1)] });
      } catch (error) {
        // A refusal is fine, as long as it is an error of ours.
        expect(error).toMatchObject({ name: "SessionError" });
      }
      const found = await bench.find(state.id);
      expect(found?.state.metadata.polluted).toBeUndefined();
      expect((await bench.create("b")).state.metadata.polluted).toBeUndefined();
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    },
  },
]);

function isFrozen(value: JsonValue): boolean {
  if (value === null || typeof value !== "object") return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}
