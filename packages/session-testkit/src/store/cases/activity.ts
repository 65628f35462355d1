import { expect } from "vitest";
import { codeOf, type StoreBench } from "../bench.ts";
import type { ActivityEntry } from "../contract.ts";
import { entryOf, idOf, MINUTE, requestItem, SECOND } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const activityCases: readonly StoreCase[] = inTopic("activity", [
  {
    name: "an entry comes back as it was tracked",
    async run(bench) {
      await bench.create("a");
      const entries = [
        entryOf({
          timestamp: bench.now,
          endpoint: "/a path/ü?no",
          method: "POST",
          statusCode: 404,
          duration: 12,
          requestSize: 123_456,
          responseSize: 3_000_000_000,
        }),
        entryOf({
          timestamp: bench.now,
          metadata: { order: 7, tags: ["a", null], nested: { b: true } },
        }),
        entryOf({
          timestamp: bench.now,
          action: "checkout {x} 漢",
          endpoint: "",
          method: "",
          statusCode: 0,
          duration: 0,
          responseSize: 0,
        }),
      ];
      for (const entry of entries) {
        await bench.track({ ...requestItem(idOf("a"), bench.now), entry });
      }
      expect((await bench.timeline(idOf("a"))).entries).toEqual([...entries].reverse());
    },
  },
  {
    name: "the timeline is newest first, also within one batch and one millisecond",
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1", "/2"]);
      const item = (endpoint: string) => requestItem(idOf("a"), bench.now, { endpoint });
      await bench.track(item("/3"), item("/4"));
      expect(await endpoints(bench)).toEqual(["/4", "/3", "/2", "/1"]);
    },
  },
  {
    name: "pages go on where the last one ended, though new entries came meanwhile",
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 10; page++) {
        const { entries, nextCursor } = await bench.timeline(idOf("a"), { limit: 3, cursor });
        seen.push(...entries.map((entry) => entry.endpoint));
        await visit(bench, [`/new ${page}`, `/newer ${page}`]);
        cursor = nextCursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual(["/7", "/6", "/5", "/4", "/3", "/2", "/1"]);
    },
  },
  {
    name: "the newest activityLimit entries are kept, the older ones give way (R-46)",
    settings: { activityLimit: 5 },
    async run(bench) {
      await bench.create("a");
      await bench.create("b");
      await bench.request(idOf("b"), { endpoint: "/other" });
      await visit(bench, ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"]);
      expect(await bench.timeline(idOf("a"))).toMatchObject({ total: 5, nextCursor: undefined });
      expect(await endpoints(bench)).toEqual(["/8", "/7", "/6", "/5", "/4"]);
      expect((await bench.read(idOf("a"))).requestCount).toBe(8);
      expect((await bench.timeline(idOf("b"))).total).toBe(1);
    },
  },
  {
    name: "a cursor whose entries have given way meanwhile ends the pages without an error (R-46)",
    settings: { activityLimit: 4 },
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1", "/2", "/3", "/4"]);
      const { nextCursor } = await bench.timeline(idOf("a"), { limit: 2 });
      await visit(bench, ["/5", "/6", "/7", "/8"]);
      const page = await bench.timeline(idOf("a"), { limit: 2, cursor: nextCursor });
      expect(page).toMatchObject({ entries: [], nextCursor: undefined });
    },
  },
  {
    name: "offset skips that many of the newest, and the total does not change",
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1", "/2", "/3", "/4"]);
      const page = await bench.timeline(idOf("a"), { limit: 2, offset: 1 });
      expect(page.entries.map((entry) => entry.endpoint)).toEqual(["/3", "/2"]);
      expect(page.total).toBe(4);
      expect(await bench.timeline(idOf("a"), { offset: 4 })).toMatchObject({
        entries: [],
        nextCursor: undefined,
        total: 4,
      });
    },
  },
  {
    name: "the last page of a timeline has no cursor, also when it is full",
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1", "/2", "/3", "/4"]);
      const first = await bench.timeline(idOf("a"), { limit: 2 });
      expect(first.nextCursor).toBeDefined();
      const second = await bench.timeline(idOf("a"), { limit: 2, cursor: first.nextCursor });
      expect(second).toMatchObject({ nextCursor: undefined, total: 4 });
      expect(second.entries).toHaveLength(2);
    },
  },
  {
    name: "entries older than activityRetention are no longer shown or counted (R-44)",
    settings: { activityRetention: 10 * MINUTE },
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/old"]);
      await bench.advance(5 * MINUTE);
      await visit(bench, ["/new"]);
      await bench.advance(6 * MINUTE);
      expect(await bench.timeline(idOf("a"))).toMatchObject({ total: 1, nextCursor: undefined });
      expect(await endpoints(bench)).toEqual(["/new"]);
    },
  },
  {
    name: "an ended session's timeline is readable while the session is, then unknown",
    settings: { endedRetention: 10 * MINUTE },
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1"]);
      await bench.end(idOf("a"));
      expect(await endpoints(bench)).toEqual(["/1"]);
      await bench.advance(10 * MINUTE + SECOND);
      await bench.sweep();
      const query = { limit: 10, offset: 0, cursor: undefined };
      expect(await bench.store.activity(idOf("a"), query, bench.call)).toBeUndefined();
    },
  },
  {
    name: "a session without entries has an empty timeline, an unknown one has none",
    async run(bench) {
      await bench.create("a");
      expect(await bench.timeline(idOf("a"))).toMatchObject({
        entries: [],
        total: 0,
        nextCursor: undefined,
      });
      const query = { limit: 10, offset: 0, cursor: undefined };
      expect(await bench.store.activity(idOf("nobody"), query, bench.call)).toBeUndefined();
    },
  },
  {
    name: "an activity cursor that the store did not give is refused (R-60)",
    async run(bench) {
      await bench.create("a");
      await visit(bench, ["/1"]);
      for (const cursor of ["", "x", "%%%", "-1", "1.5", "null"]) {
        expect(
          await codeOf(() => bench.timeline(idOf("a"), { cursor })),
          `cursor "${cursor}"`,
        ).toBe("INVALID_ARGUMENT");
      }
    },
  },
]);

/** One request after the other, a second apart. */
async function visit(
  bench: StoreBench,
  paths: readonly ActivityEntry["endpoint"][],
): Promise<void> {
  for (const endpoint of paths) {
    await bench.advance(SECOND);
    await bench.request(idOf("a"), { endpoint });
  }
}

async function endpoints(bench: StoreBench): Promise<string[]> {
  return (await bench.timeline(idOf("a"))).entries.map((entry) => entry.endpoint);
}
