import { expect } from "vitest";
import {
  entryOf,
  IDLE,
  idOf,
  MINUTE,
  PROVISIONAL,
  requestItem,
  SECOND,
  trackItem,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const trackCases: readonly StoreCase[] = inTopic("track", [
  {
    name: "a request is counted, moves both times and confirms the session",
    async run(bench) {
      const { state } = await bench.create("a", { provisionalTimeout: PROVISIONAL });
      await bench.advance(MINUTE);
      await bench.track(requestItem(state.id, bench.now), requestItem(state.id, bench.now));
      const after = await bench.read(state.id);
      expect(after).toMatchObject({
        lastAccessTime: bench.now,
        lastActivityTime: bench.now,
        requestCount: 2,
        confirmed: true,
      });
      expect(after.state, "tracking is not state").toEqual(state);
    },
  },
  {
    name: "a passive request moves the last access alone, and one from outside moves neither time",
    async run(bench) {
      const { state } = await bench.create("a");
      const start = bench.now;
      await bench.advance(MINUTE);
      await bench.track(requestItem(state.id, bench.now, {}, { active: false, confirm: false }));
      expect(await bench.read(state.id)).toMatchObject({
        lastAccessTime: bench.now,
        lastActivityTime: start,
        requestCount: 1,
        confirmed: false,
      });
      const seen = bench.now;
      await bench.advance(MINUTE);
      await bench.track(trackItem(state.id, bench.now, { access: false, active: false }));
      expect(await bench.read(state.id)).toMatchObject({
        lastAccessTime: seen,
        lastActivityTime: start,
        requestCount: 1,
      });
    },
  },
  {
    name: "times only move forward, whatever order the batches come in (R-38)",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.advance(MINUTE);
      await bench.track(requestItem(state.id, bench.now));
      await bench.track(requestItem(state.id, bench.now - 30 * SECOND));
      await bench.track(requestItem(state.id, 0));
      expect(await bench.read(state.id)).toMatchObject({
        lastAccessTime: bench.now,
        lastActivityTime: bench.now,
        requestCount: 3,
      });
    },
  },
  {
    name: "the same batch again is answered and not applied; the next one and another sender's are (F-17)",
    async run(bench) {
      const { state } = await bench.create("a");
      const send = (instance: string, sequence: number) =>
        bench.store.track(
          { instance, sequence, items: [requestItem(state.id, bench.now)] },
          bench.call,
        );
      await send("one", 1);
      await send("one", 1);
      expect((await bench.read(state.id)).requestCount).toBe(1);
      await send("one", 2);
      await send("two", 1);
      await send("two", 1);
      await send("one", 2);
      expect((await bench.read(state.id)).requestCount).toBe(3);
      expect((await bench.timeline(state.id)).total).toBe(3);
      expect((await bench.metrics()).totalRequests).toBe(3);
    },
  },
  {
    name: "batches with the sequence 0 are neither remembered nor compared",
    async run(bench) {
      const { state } = await bench.create("a");
      const items = [requestItem(state.id, bench.now)];
      for (let times = 0; times < 3; times++) {
        await bench.store.track({ instance: "one", sequence: 0, items }, bench.call);
      }
      expect((await bench.read(state.id)).requestCount).toBe(3);
    },
  },
  {
    name: "sessions that are gone are skipped, the others of the batch are not, and all requests count (R-26)",
    async run(bench) {
      await bench.create("live");
      await bench.create("ended");
      await bench.end(idOf("ended"));
      await bench.advance(SECOND);
      const ended = await bench.read(idOf("ended"));
      await bench.track(
        requestItem(idOf("unknown"), bench.now),
        requestItem(idOf("ended"), bench.now),
        requestItem(idOf("live"), bench.now),
      );
      expect(await bench.find(idOf("unknown"))).toBeUndefined();
      expect(await bench.read(idOf("ended"))).toEqual(ended);
      expect((await bench.timeline(idOf("ended"))).total).toBe(0);
      expect((await bench.read(idOf("live"))).requestCount).toBe(1);
      expect((await bench.metrics()).totalRequests).toBe(3);
    },
  },
  {
    name: "a custom action is kept in the timeline and is not a request",
    async run(bench) {
      const { state } = await bench.create("a");
      const entry = entryOf({ timestamp: bench.now, action: "checkout", statusCode: 0 });
      await bench.track(trackItem(state.id, bench.now, { entry }));
      expect((await bench.read(state.id)).requestCount).toBe(0);
      expect((await bench.metrics()).totalRequests).toBe(0);
      expect((await bench.timeline(state.id)).entries).toEqual([entry]);
    },
  },
  {
    name: "a request without an entry counts, and leaves the timeline empty",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.track(requestItem(state.id, bench.now, {}, { entry: undefined }));
      expect((await bench.read(state.id)).requestCount).toBe(1);
      expect((await bench.metrics()).totalRequests).toBe(1);
      expect(await bench.timeline(state.id)).toMatchObject({ entries: [], total: 0 });
    },
  },
  {
    name: "64 batches of different senders at once are all counted (F-03)",
    async run(bench) {
      const { state } = await bench.create("a");
      const items = [requestItem(state.id, bench.now)];
      const instances = Array.from({ length: 64 }, (_, index) => `instance ${index}`);
      await Promise.all(
        instances.map((instance) =>
          bench.store.track({ instance, sequence: 1, items }, bench.call),
        ),
      );
      expect((await bench.read(state.id)).requestCount).toBe(64);
      await bench.advance(IDLE - 1);
      expect(await bench.endIfDue(state.id)).toBeDefined();
    },
  },
]);
