import { expect } from "vitest";
import { codeOf } from "../bench.ts";
import {
  ABSOLUTE,
  hashOf,
  IDLE,
  idOf,
  MINUTE,
  metadataOf,
  NO_LIMITS,
  newSession,
  PROVISIONAL,
  requestItem,
  set,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const createCases: readonly StoreCase[] = inTopic("create", [
  {
    name: "create answers the session with the times of the store's clock, and find shows the same",
    async run(bench) {
      await bench.advance(1234);
      const created = await bench.create("a", { provisionalTimeout: PROVISIONAL });
      expect(created).toEqual({
        state: {
          id: idOf("a"),
          secretHash: hashOf("a"),
          transport: "cookie",
          epoch: 0,
          version: 0,
          userId: undefined,
          ipAddress: "192.0.2.7",
          userAgent: "Testkit/1.0",
          createdAt: bench.now,
          secretIssuedAt: bench.now,
          authenticatedAt: undefined,
          idleTimeout: IDLE,
          absoluteEnd: bench.now + ABSOLUTE,
          provisionalEnd: bench.now + PROVISIONAL,
          metadata: {},
          metadataBytes: 0,
          retired: [],
          pending: undefined,
        },
        lastAccessTime: bench.now,
        lastActivityTime: bench.now,
        requestCount: 0,
        confirmed: false,
        endedAt: undefined,
        endReason: undefined,
      });
      expect(await bench.read(idOf("a"))).toEqual(created);
    },
  },
  {
    name: "a session that is made for a user is signed in from the start",
    async run(bench) {
      await bench.advance(MINUTE);
      const { state } = await bench.create("a", { userId: "ann", transport: "bearer" });
      expect(state).toMatchObject({
        userId: "ann",
        transport: "bearer",
        authenticatedAt: bench.now,
      });
      expect((await bench.read(state.id)).state).toEqual(state);
    },
  },
  {
    name: "a session that is made with data holds it",
    async run(bench) {
      const metadata = metadataOf({ theme: "dark", visits: 2 });
      const { state } = await bench.create("a", { metadata });
      expect(state.metadata).toEqual({ theme: "dark", visits: 2 });
      expect(state.metadataBytes).toBe(newSession("a", { metadata }).metadataBytes);
      expect((await bench.read(state.id)).state).toEqual(state);
    },
  },
  {
    name: "what was never made is absent everywhere, and is not an error",
    needs: "userIndex",
    async run(bench) {
      const id = idOf("nobody");
      expect(await bench.find(id)).toBeUndefined();
      expect(await bench.endIfDue(id)).toBeUndefined();
      expect((await bench.commit(id, { ops: [set("a", 1)] })).status).toBe("gone");
      expect(await bench.end(id)).toBe("gone");
      expect(await bench.endUser("nobody")).toEqual([]);
      expect(
        await bench.store.activity(id, { limit: 10, offset: 0, cursor: undefined }, bench.call),
      ).toBeUndefined();
      await bench.track(requestItem(id, bench.now));
      expect(await bench.find(id), "nothing but create creates").toBeUndefined();
    },
  },
  {
    name: "an id that exists is refused, also when its session has ended, and nothing is overwritten (R-05)",
    async run(bench) {
      const { state } = await bench.create("a", { metadata: metadataOf({ mine: true }) });
      const again = newSession("b", { id: state.id });
      const create = () => bench.store.create(again, NO_LIMITS, bench.call);
      expect(await codeOf(create)).toBe("STORE_UNAVAILABLE");
      expect((await bench.read(state.id)).state).toEqual(state);

      await bench.end(state.id);
      const ended = await bench.read(state.id);
      expect(await codeOf(create)).toBe("STORE_UNAVAILABLE");
      expect(await bench.read(state.id)).toEqual(ended);
    },
  },
  {
    name: "the same create again, as a driver repeats it after a reconnect, answers what it made and makes nothing (F-17)",
    async run(bench) {
      const session = newSession("a", { userId: "ann" });
      const create = () => bench.store.create(session, NO_LIMITS, bench.call);
      expect((await create()).status).toBe("created");
      await bench.track(requestItem(session.id, bench.now));
      expect(await codeOf(create), "the second answer").toBe("no error");
      const record = await bench.read(session.id);
      expect(await create()).toEqual({ status: "created", record });
      expect((await bench.metrics()).totalSessions).toBe(1);
      expect(bench.events.map(({ type }) => type)).toEqual(["created"]);

      // Once something has happened to it, it is not the same call's any more.
      await bench.commit(session.id, { ops: [set("theme", "dark")] });
      const changed = await bench.read(session.id);
      expect(await codeOf(create)).toBe("STORE_UNAVAILABLE");
      expect(await bench.read(session.id)).toEqual(changed);
    },
  },
  {
    name: "one session's changes do not show in another",
    async run(bench) {
      const { state: first } = await bench.create("a");
      const { state: second } = await bench.create("b");
      await bench.apply(first.id, { ops: [set("key", 1)] });
      await bench.request(first.id);
      await bench.end(first.id);
      const untouched = await bench.read(second.id);
      expect(untouched.state).toEqual(second);
      expect(untouched).toMatchObject({ requestCount: 0, endedAt: undefined });
    },
  },
]);
