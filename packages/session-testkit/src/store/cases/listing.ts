import { expect } from "vitest";
import { codeOf, type StoreBench } from "../bench.ts";
import type { SessionRecord, StoreQuery } from "../contract.ts";
import { idOf, SECOND, signIn, snapshot } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const listingCases: readonly StoreCase[] = inTopic("listing", [
  {
    name: "status and user filter the sessions, and the total is exact for both",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a1", { userId: "ann" });
      await bench.create("a2", { userId: "ann" });
      await bench.create("b1", { userId: "bob" });
      await bench.create("c1");
      await bench.end(idOf("a2"));
      await bench.end(idOf("c1"));
      const expected: [Partial<StoreQuery>, string[]][] = [
        [{ status: "active" }, ["a1", "b1"]],
        [{ status: "ended" }, ["a2", "c1"]],
        [{ status: "all" }, ["a1", "a2", "b1", "c1"]],
        [{ status: "active", userId: "ann" }, ["a1"]],
        [{ status: "ended", userId: "ann" }, ["a2"]],
        [{ status: "all", userId: "ann" }, ["a1", "a2"]],
        [{ status: "all", userId: "nobody" }, []],
      ];
      for (const [query, labels] of expected) {
        const page = await bench.list(query);
        expect(sortedIds(page.records)).toEqual(labels.map(idOf).sort());
        expect(page.total).toBe(labels.length);
        expect((await bench.list({ ...query, limit: 1 })).total).toBe(labels.length);
      }
    },
  },
  {
    name: "an empty store lists nothing, and counts nothing",
    async run(bench) {
      const page = await bench.list({ status: "all" });
      expect(page).toMatchObject({ records: [], total: 0, nextCursor: undefined });
    },
  },
  {
    name: "what is listed is what find answers",
    async run(bench) {
      await bench.create("a", { userId: "ann" });
      expect((await bench.list()).records.map(snapshot)).toEqual([await bench.read(idOf("a"))]);
      await bench.request(idOf("a"));
      await bench.end(idOf("a"));
      const { records } = await bench.list({ status: "all" });
      expect(records.map(snapshot)).toEqual([await bench.read(idOf("a"))]);
    },
  },
  {
    name: "a session is listed under the user that it has now",
    needs: "userIndex",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.apply(state.id, { change: signIn("ann") });
      expect(await bench.ids({ userId: "ann" })).toEqual([state.id]);
      await bench.apply(state.id, { epoch: 1, change: signIn("bob") });
      expect(await bench.list({ userId: "ann" })).toMatchObject({ records: [], total: 0 });
      expect(await bench.ids({ userId: "bob" })).toEqual([state.id]);
    },
  },
  {
    name: "user ids are opaque: what they contain never mixes users up (R-61)",
    needs: "userIndex",
    async run(bench) {
      const users = ["a", "A", "a:b", "a*", "{a}", "a%", "a_", "á", "a ", "__proto__", "0", "a\n"];
      for (const userId of users) await bench.create(`of ${userId}`, { userId });
      for (const userId of users) {
        expect(await bench.ids({ userId }), `sessions of "${userId}"`).toEqual([
          idOf(`of ${userId}`),
        ]);
      }
      expect(await bench.endUser("a*")).toEqual([idOf("of a*")]);
      expect(await bench.ids()).toHaveLength(users.length - 1);
    },
  },
  {
    name: "search finds an exact id, an exact address or the beginning of a user id, and gives no total",
    async run(bench) {
      await bench.create("a1", { userId: "ann-lee", ipAddress: "2001:db8::1" });
      await bench.create("a2", { userId: "anna", ipAddress: "2001:db8::2" });
      await bench.create("b1", { userId: "bob", ipAddress: "2001:db8::1" });
      await bench.create("c1", { userId: "a%x" });
      const expected: [string, string[]][] = [
        [idOf("b1"), ["b1"]],
        [idOf("b1").slice(0, 20), []],
        ["2001:db8::1", ["a1", "b1"]],
        ["2001:db8::", []],
        ["ann", ["a1", "a2"]],
        ["anna", ["a2"]],
        ["nn", []],
        ["a%", ["c1"]],
        ["a_", []],
      ];
      for (const [search, labels] of expected) {
        const page = await bench.list({ search });
        expect(sortedIds(page.records), `search "${search}"`).toEqual(labels.map(idOf).sort());
        expect(page.total).toBeUndefined();
      }
      await bench.end(idOf("a2"));
      expect(await bench.ids({ search: "ann" })).toEqual([idOf("a1")]);
      expect(await bench.ids({ search: "ann", status: "ended" })).toEqual([idOf("a2")]);
    },
  },
  {
    name: "sessions come in the order of their creation or last access, either way",
    async run(bench) {
      for (const label of ["a", "b", "c"]) {
        await bench.create(label);
        await bench.advance(SECOND);
      }
      await bench.request(idOf("a"), {}, { active: false });
      const order = async (query: Partial<StoreQuery>, labels: string[]): Promise<void> => {
        expect(await bench.ids(query)).toEqual(labels.map(idOf));
        expect(await pages(bench, { ...query, limit: 1 })).toEqual(labels.map(idOf));
      };
      await order({ sort: "createdAt", direction: "ascending" }, ["a", "b", "c"]);
      await order({ sort: "createdAt", direction: "descending" }, ["c", "b", "a"]);
      await order({ sort: "lastAccessTime", direction: "ascending" }, ["b", "c", "a"]);
      await order({ sort: "lastAccessTime", direction: "descending" }, ["a", "c", "b"]);
    },
  },
  {
    name: "sessions of the same millisecond are neither repeated nor missed between pages",
    needs: "userIndex",
    async run(bench) {
      const labels = Array.from({ length: 23 }, (_, index) => `s${index}`);
      for (const label of labels) await bench.create(label, { userId: "ann" });
      for (const sort of ["createdAt", "lastAccessTime"] as const) {
        for (const direction of ["ascending", "descending"] as const) {
          for (const userId of [undefined, "ann"]) {
            const seen = await pages(bench, { sort, direction, userId, limit: 5 });
            expect(seen).toHaveLength(23);
            expect([...seen].sort()).toEqual(labels.map(idOf).sort());
          }
        }
      }
    },
  },
  {
    name: "by creation, pages repeat and miss nothing while sessions come and go between them (R-60)",
    needs: "userIndex",
    async run(bench) {
      for (const direction of ["ascending", "descending"] as const) {
        for (const userId of [undefined, "ann"]) {
          const name = `${direction} ${userId}`;
          const staying: string[] = [];
          for (let index = 0; index < 20; index++) {
            staying.push(
              (await bench.create(`${name} stays ${index}`, { userId: "ann" })).state.id,
            );
            await bench.create(`${name} goes ${index}`, { userId: "ann" });
            await bench.advance(1);
          }
          let turn = 0;
          const seen = await pages(bench, { direction, userId, limit: 3 }, async () => {
            await bench.create(`${name} comes ${turn}`, { userId: "ann" });
            await bench.end(idOf(`${name} goes ${turn}`));
            await bench.end(idOf(`${name} goes ${19 - turn}`));
            await bench.request(staying[turn] ?? "");
            turn += 1;
          });
          expect(new Set(seen).size, "nothing is repeated").toBe(seen.length);
          expect(
            staying.filter((id) => !seen.includes(id)),
            "nothing is missed",
          ).toEqual([]);
          expect(turn).toBeGreaterThan(6);
          await bench.endUser("ann");
        }
      }
    },
  },
  {
    name: "the last page has no cursor, also when it is full",
    async run(bench) {
      for (const label of ["a", "b", "c", "d"]) await bench.create(label);
      const first = await bench.list({ limit: 2 });
      expect(first.nextCursor).toBeDefined();
      const second = await bench.list({ limit: 2, cursor: first.nextCursor });
      expect(second.records).toHaveLength(2);
      expect(second.nextCursor).toBeUndefined();
      expect((await bench.list({ limit: 4 })).nextCursor).toBeUndefined();
    },
  },
  {
    name: "offset skips that many, and beyond the end there is nothing",
    async run(bench) {
      for (const label of ["a", "b", "c", "d"]) {
        await bench.create(label);
        await bench.advance(1);
      }
      expect(await bench.ids({ offset: 1, limit: 2 })).toEqual([idOf("c"), idOf("b")]);
      expect(await bench.ids({ offset: 3, limit: 2 })).toEqual([idOf("a")]);
      const beyond = await bench.list({ offset: 4 });
      expect(beyond).toMatchObject({ records: [], nextCursor: undefined, total: 4 });
    },
  },
  {
    name: "a cursor that the store did not give is refused (R-60)",
    async run(bench) {
      await bench.create("a");
      for (const cursor of ["", "x", "0", "%%%", "eyJhIjoxfQ", "-1:zz", "null", "9".repeat(400)]) {
        expect(await codeOf(() => bench.list({ cursor })), `cursor "${cursor}"`).toBe(
          "INVALID_ARGUMENT",
        );
      }
    },
  },
]);

function sortedIds(records: readonly SessionRecord[]): string[] {
  return records.map((record) => record.state.id).sort();
}

/** Ids of all pages, one after the other; `between` runs after each but the last. */
async function pages(
  bench: StoreBench,
  query: Partial<StoreQuery>,
  between?: () => Promise<void>,
): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 1000; page++) {
    const { records, nextCursor } = await bench.list({ ...query, cursor });
    seen.push(...records.map((record) => record.state.id));
    if (nextCursor === undefined) return seen;
    await between?.();
    cursor = nextCursor;
  }
  return expect.unreachable("the pages never end");
}
