import { expect } from "vitest";
import { commitOf, hashOf, IDLE, idOf, increment, remove, set, signIn } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const commitCases: readonly StoreCase[] = inTopic("commit", [
  {
    name: "set, delete and increment are applied in order, and find shows what commit answered (R-27)",
    async run(bench) {
      const { state } = await bench.create("a");
      const first = await bench.apply(state.id, {
        ops: [
          set("a", 1),
          set("b", { list: [1, 2] }),
          set("a", "two"),
          set("c", true),
          remove("c"),
        ],
      });
      expect(first.state.metadata).toEqual({ a: "two", b: { list: [1, 2] } });
      const second = await bench.apply(state.id, {
        ops: [remove("a"), increment("n", 2), increment("n", -0.5), remove("missing")],
      });
      expect(second.state.metadata).toEqual({ b: { list: [1, 2] }, n: 1.5 });
      expect((await bench.read(state.id)).state).toEqual(second.state);
    },
  },
  {
    name: "each commit raises the version by one and leaves epoch, secret and user alone",
    async run(bench) {
      const { state } = await bench.create("a", { userId: "ann" });
      await bench.apply(state.id, { ops: [set("a", 1)] });
      const { state: after } = await bench.apply(state.id, { ops: [set("a", 1)] });
      expect(after.version).toBe(2);
      expect({ ...after, version: 0, metadata: {}, metadataBytes: 0 }).toEqual(state);
    },
  },
  {
    name: "the size of the data goes back to nothing when all of it is deleted",
    async run(bench) {
      const { state } = await bench.create("a");
      const full = await bench.apply(state.id, { ops: [set("a", "ü"), increment("n", 10)] });
      // "a":"ü", is 9 bytes with what stands around it, "n":10, is 7.
      expect(full.state.metadataBytes).toBe(16);
      const empty = await bench.apply(state.id, { ops: [remove("a"), remove("n")] });
      expect(empty.state.metadataBytes).toBe(0);
    },
  },
  {
    name: "an increment of what is no number, or beyond all numbers, is refused and nothing of the commit is written",
    async run(bench) {
      const { state } = await bench.create("a");
      const before = await bench.apply(state.id, { ops: [set("text", "1"), set("n", 1.7e308)] });
      expect(
        await bench.commit(state.id, { ops: [set("other", 1), increment("text")] }),
      ).toMatchObject({ status: "refused", limit: "number", key: "text" });
      expect(
        await bench.commit(state.id, { ops: [set("other", 1), increment("n", 1.7e308)] }),
      ).toMatchObject({ status: "refused", limit: "number", key: "n" });
      expect(await bench.read(state.id)).toEqual(before);
    },
  },
  {
    name: "a commit to a session that has ended answers gone and writes nothing (R-26)",
    async run(bench) {
      const { state } = await bench.create("a", { userId: "ann" });
      await bench.end(state.id, "signed-out");
      const ended = await bench.read(state.id);
      for (const change of [undefined, signIn("bob")]) {
        const { status } = await bench.commit(state.id, { ops: [set("a", 1)], change });
        expect(status).toBe("gone");
        expect(await bench.read(state.id)).toEqual(ended);
      }
      expect(await bench.ids()).toEqual([]);
    },
  },
  {
    name: "a commit to a session that is due answers gone and writes nothing, though nobody has ended it yet (R-22)",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.advance(IDLE);
      expect((await bench.commit(state.id, { ops: [set("a", 1)] })).status).toBe("gone");
      expect((await bench.commit(state.id, { change: signIn("ann") })).status).toBe("gone");
      expect((await bench.read(state.id)).state).toEqual(state);
    },
  },
  {
    name: "a commit with another epoch answers superseded and writes nothing (R-21, F-04)",
    async run(bench) {
      const { state } = await bench.create("a");
      const signedIn = await bench.apply(state.id, { change: signIn("ann") });
      for (const epoch of [0, 2]) {
        const result = await bench.commit(state.id, { epoch, ops: [set("planted", 1)] });
        expect(result.status).toBe("superseded");
      }
      expect(await bench.read(state.id)).toEqual(signedIn);
    },
  },
  {
    name: "a commit that presents another secret answers superseded and writes nothing (R-23)",
    async run(bench) {
      const { state } = await bench.create("a");
      const result = await bench.commit(state.id, {
        secretHash: hashOf("stolen"),
        ops: [set("a", 1)],
        change: { kind: "regenerate", secretHash: hashOf("thief") },
      });
      expect(result.status).toBe("superseded");
      expect((await bench.read(state.id)).state).toEqual(state);
      await bench.apply(state.id, { secretHash: state.secretHash, ops: [set("a", 1)] });
    },
  },
  {
    name: "compare-and-set: another version answers conflict with the record as it is, and writes nothing (R-27)",
    async run(bench) {
      const { state } = await bench.create("a");
      const newest = await bench.apply(state.id, { version: 0, ops: [set("cart", [1])] });
      const result = await bench.commit(state.id, { version: 0, ops: [set("cart", [2])] });
      if (result.status !== "conflict") return expect.unreachable(`answered ${result.status}`);
      expect(result.record.state).toEqual(newest.state);
      expect(await bench.read(state.id)).toEqual(newest);
      const { version } = result.record.state;
      expect(await bench.apply(state.id, { version, ops: [set("cart", [1, 2])] })).toMatchObject({
        state: { metadata: { cart: [1, 2] } },
      });
    },
  },
  {
    name: "a caller with another epoch hears superseded, never the data of the session as it is now (F-04)",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.apply(state.id, { change: signIn("ann") });
      const result = await bench.commit(state.id, { version: 0, ops: [set("a", 1)] });
      expect(result).toEqual({ status: "superseded" });
    },
  },
  {
    name: "data that grows over the limit is refused whole, and data that shrinks is accepted though it is over it",
    async run(bench) {
      const { state } = await bench.create("a");
      const { state: full } = await bench.apply(state.id, { ops: [set("a", "x".repeat(100))] });
      const limit = full.metadataBytes;
      await bench.apply(state.id, { ops: [set("a", "y".repeat(100))], maxMetadataBytes: limit });
      const before = await bench.read(state.id);

      expect(
        await bench.commit(state.id, {
          ops: [remove("nothing"), set("a", "z".repeat(101))],
          maxMetadataBytes: limit,
        }),
      ).toMatchObject({ status: "refused", limit: "metadata", bytes: limit + 1 });
      expect(await bench.read(state.id)).toEqual(before);

      const shrunk = await bench.apply(state.id, {
        ops: [set("a", "z".repeat(50))],
        maxMetadataBytes: 20,
      });
      expect(shrunk.state.metadata).toEqual({ a: "z".repeat(50) });
    },
  },
  {
    name: "the same opId again answers applied with the record as it now is, and applies nothing twice (F-17)",
    async run(bench) {
      const { state } = await bench.create("a");
      const commits = [1, 2, 3, 4].map((by) =>
        commitOf(`repeated-${by}`, { ops: [increment("n", by)] }),
      );
      for (const commit of commits) await bench.store.commit(state.id, commit, bench.call);
      const before = await bench.read(state.id);
      expect(before.state).toMatchObject({ version: 4, metadata: { n: 10 } });
      for (const commit of commits) {
        const again = await bench.store.commit(state.id, commit, bench.call);
        if (again.status !== "applied") return expect.unreachable(`answered ${again.status}`);
        expect(again.record.state).toEqual(before.state);
      }
      expect(await bench.read(state.id)).toEqual(before);
    },
  },
  {
    name: "a sign-in that is repeated with its opId is answered applied, though epoch and secret have moved (F-17)",
    async run(bench) {
      const { state } = await bench.create("a");
      const commit = commitOf("sign-in", {
        secretHash: state.secretHash,
        change: signIn("ann"),
        version: 0,
      });
      await bench.store.commit(state.id, commit, bench.call);
      const before = await bench.read(state.id);
      const again = await bench.store.commit(state.id, commit, bench.call);
      if (again.status !== "applied") return expect.unreachable(`answered ${again.status}`);
      expect(again.record.state).toEqual(before.state);
      expect(await bench.eventsOf("signed-in")).toHaveLength(1);
    },
  },
  {
    name: "an opId whose commit was refused does not pass for applied when it comes again (F-17)",
    async run(bench) {
      const { state } = await bench.create("a");
      const commits = [
        commitOf("superseded", { epoch: 7, ops: [set("a", 1)] }),
        commitOf("conflict", { version: 7, ops: [set("a", 1)] }),
        commitOf("too large", { maxMetadataBytes: 2, ops: [set("a", 1)] }),
      ];
      for (const commit of commits) {
        const first = await bench.store.commit(state.id, commit, bench.call);
        expect(first.status).not.toBe("applied");
        expect((await bench.store.commit(state.id, commit, bench.call)).status).toBe(first.status);
      }
      expect((await bench.read(state.id)).state).toEqual(state);
    },
  },
  {
    name: "an opId counts for its own session only",
    async run(bench) {
      for (const label of ["a", "b"]) {
        const { state } = await bench.create(label);
        const commit = commitOf("shared", { ops: [increment("n")] });
        await bench.store.commit(state.id, commit, bench.call);
        expect((await bench.read(state.id)).state.metadata).toEqual({ n: 1 });
      }
    },
  },
  {
    name: "64 commits of different keys at once all survive (F-02)",
    async run(bench) {
      const { state } = await bench.create("a");
      const keys = Array.from({ length: 64 }, (_, index) => `key-${index}`);
      await Promise.all(keys.map((key) => bench.commit(state.id, { ops: [set(key, key)] })));
      const after = await bench.read(state.id);
      expect(after.state.metadata).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
      expect(after.state.version).toBe(64);
    },
  },
  {
    name: "64 increments at once add up (F-03)",
    async run(bench) {
      const { state } = await bench.create("a");
      const amounts = Array.from({ length: 64 }, (_, index) => index);
      await Promise.all(amounts.map((by) => bench.commit(state.id, { ops: [increment("n", by)] })));
      expect((await bench.read(idOf("a"))).state.metadata).toEqual({ n: 2016 });
    },
  },
]);
