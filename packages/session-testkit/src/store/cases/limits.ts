import { expect } from "vitest";
import type { UserLimit } from "../contract.ts";
import { HOUR, hashOf, IDLE, idOf, PROVISIONAL, SECOND, set, signIn } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

const oldest = (max: number): UserLimit => ({ max, policy: "evict-oldest" });
const leastRecent = (max: number): UserLimit => ({ max, policy: "evict-least-recent" });
const reject = (max: number): UserLimit => ({ max, policy: "reject" });

export const limitCases: readonly StoreCase[] = inTopic("limits", [
  {
    name: "a full store ends provisional sessions first, the oldest of them (R-80)",
    async run(bench) {
      for (const label of ["used", "old", "young"]) {
        await bench.create(label, { provisionalTimeout: PROVISIONAL });
        await bench.advance(SECOND);
      }
      await bench.request(idOf("used"));
      await bench.create("new", { provisionalTimeout: PROVISIONAL }, { maxSessions: 3 });
      expect(await bench.read(idOf("old"))).toMatchObject({
        endReason: "limit",
        endedAt: bench.now,
      });
      await bench.create("newer", {}, { maxSessions: 3 });
      expect((await bench.read(idOf("young"))).endReason).toBe("limit");
      expect((await bench.ids()).sort()).toEqual(["new", "newer", "used"].map(idOf).sort());
    },
  },
  {
    name: "without provisional ones it ends the anonymous session with the oldest last access (R-80)",
    async run(bench) {
      for (const label of ["first", "second", "third"]) {
        await bench.create(label);
        await bench.advance(SECOND);
      }
      await bench.request(idOf("first"), {}, { active: false });
      await bench.create("new", {}, { maxSessions: 3 });
      expect((await bench.read(idOf("second"))).endReason).toBe("limit");
      expect((await bench.ids()).sort()).toEqual(["first", "new", "third"].map(idOf).sort());
    },
  },
  {
    name: "signed-in sessions are never ended to make room: the new one is refused and leaves no trace (R-80)",
    async run(bench) {
      await bench.create("ann", { userId: "ann" });
      const { state } = await bench.create("bob", { provisionalTimeout: PROVISIONAL });
      await bench.apply(state.id, { change: signIn("bob") });
      for (const userId of [undefined, "eve"]) {
        const result = await bench.tryCreate("new", { userId }, { maxSessions: 2 });
        expect(result).toEqual({ status: "refused", limit: "sessions" });
      }
      expect(await bench.find(idOf("new"))).toBeUndefined();
      expect((await bench.ids()).sort()).toEqual([idOf("ann"), idOf("bob")].sort());
      expect(await bench.eventsOf("created")).toHaveLength(2);
      await bench.end(idOf("ann"));
      await bench.create("new", {}, { maxSessions: 2 });
    },
  },
  {
    name: "a session that is due does not keep a new one out",
    needs: "userIndex",
    async run(bench) {
      await bench.create("due", { userId: "ann" });
      await bench.advance(IDLE);
      const limits = { maxSessions: 1, user: reject(1) };
      const result = await bench.tryCreate("new", { userId: "ann" }, limits);
      expect(result.status).toBe("created");
      await bench.sweep();
      expect((await bench.read(idOf("due"))).endedAt).toBeDefined();
      expect(await bench.ids()).toEqual([idOf("new")]);
    },
  },
  {
    name: "no number of creations at once leaves more than maxSessions (R-80)",
    async run(bench) {
      const labels = Array.from({ length: 40 }, (_, index) => `s${index}`);
      await Promise.all(labels.map((label) => bench.tryCreate(label, {}, { maxSessions: 7 })));
      expect(await bench.ids()).toHaveLength(7);
      expect((await bench.metrics()).activeSessions).toBe(7);
    },
  },
  {
    name: "evict-oldest ends the user's oldest session, on create and on sign-in, and nobody else's (R-25)",
    needs: "userIndex",
    async run(bench) {
      await bench.create("other", { userId: "bob" });
      for (const label of ["a1", "a2", "a3"]) {
        await bench.create(label, { userId: "ann" }, { user: oldest(2) });
        await bench.advance(SECOND);
      }
      expect(await bench.read(idOf("a1"))).toMatchObject({ endReason: "limit" });
      await bench.request(idOf("a2"));
      const { state } = await bench.create("a4");
      await bench.apply(state.id, { change: signIn("ann", { limit: oldest(2) }) });
      expect((await bench.read(idOf("a2"))).endReason).toBe("limit");
      expect((await bench.ids({ userId: "ann" })).sort()).toEqual([idOf("a3"), idOf("a4")].sort());
      expect(await bench.ids({ userId: "bob" })).toEqual([idOf("other")]);
      expect(await bench.eventsOf("ended")).toHaveLength(2);
    },
  },
  {
    name: "evict-least-recent ends the user's session with the oldest last access (R-25)",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a1", { userId: "ann" });
      await bench.advance(SECOND);
      await bench.create("a2", { userId: "ann" });
      await bench.advance(SECOND);
      await bench.request(idOf("a1"), {}, { active: false });
      await bench.create("a3", { userId: "ann" }, { user: leastRecent(2) });
      expect((await bench.read(idOf("a2"))).endReason).toBe("limit");
      expect((await bench.ids({ userId: "ann" })).sort()).toEqual([idOf("a1"), idOf("a3")].sort());
    },
  },
  {
    name: "reject refuses the sign-in and writes nothing: no data, no secret, no epoch (R-25)",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a1", { userId: "ann" });
      const refused = { status: "refused", limit: "user" };
      expect(await bench.tryCreate("a2", { userId: "ann" }, { user: reject(1) })).toEqual(refused);
      expect(await bench.find(idOf("a2"))).toBeUndefined();
      const { state } = await bench.create("a3");
      expect(
        await bench.commit(state.id, {
          ops: [set("a", 1)],
          change: signIn("ann", { limit: reject(1) }),
        }),
      ).toEqual(refused);
      expect((await bench.read(state.id)).state).toEqual(state);
      expect(await bench.ids({ userId: "ann" })).toEqual([idOf("a1")]);
      expect(await bench.eventsOf("signed-in")).toEqual([]);
    },
  },
  {
    name: "the session that signs in is never the one to go, and does not count against itself (R-25)",
    needs: "userIndex",
    async run(bench) {
      const { state: anonymous } = await bench.create("oldest");
      await bench.advance(SECOND);
      await bench.create("young", { userId: "ann" });
      await bench.apply(anonymous.id, { change: signIn("ann", { limit: leastRecent(1) }) });
      expect(await bench.ids({ userId: "ann" })).toEqual([anonymous.id]);
      for (const [epoch, limit] of [reject(1), oldest(1), leastRecent(1)].entries()) {
        const secretHash = hashOf(`again ${epoch}`);
        const change = signIn("ann", { secretHash, limit });
        await bench.apply(anonymous.id, { epoch: epoch + 1, change });
      }
      expect(await bench.ids({ userId: "ann" })).toEqual([anonymous.id]);
    },
  },
  {
    name: "when the limit was lowered, as many go as are too many",
    needs: "userIndex",
    async run(bench) {
      for (const label of ["a1", "a2", "a3", "a4"]) {
        await bench.create(label, { userId: "ann" });
        await bench.advance(SECOND);
      }
      await bench.create("a5", { userId: "ann" }, { user: oldest(2) });
      expect((await bench.ids({ userId: "ann" })).sort()).toEqual([idOf("a4"), idOf("a5")].sort());
    },
  },
  {
    name: "100 sign-ins at once with a limit of 5 leave 5, and each evicted one is heard of once (F-07, R-25)",
    needs: "userIndex",
    async run(bench) {
      const labels = Array.from({ length: 100 }, (_, index) => `s${index}`);
      for (const label of labels.slice(0, 50)) await bench.create(label);
      await Promise.all(
        labels.map(async (label, index) => {
          if (index >= 50) {
            await bench.create(label, { userId: "ann" }, { user: oldest(5) });
            return;
          }
          const change = signIn("ann", { secretHash: hashOf(`in ${label}`), limit: oldest(5) });
          await bench.commit(idOf(label), { change });
        }),
      );
      const left = await bench.list({ userId: "ann", limit: 200 });
      expect(left.records).toHaveLength(5);
      expect(left.total).toBe(5);
      const heard = (await bench.eventsOf("ended")).map((event) => event.sessionId);
      expect(heard).toHaveLength(95);
      expect(new Set(heard).size).toBe(95);
    },
  },
  {
    name: "100 sign-ins at once with a limit of 5 that rejects let in exactly 5 (F-07, R-25)",
    needs: "userIndex",
    async run(bench) {
      const labels = Array.from({ length: 100 }, (_, index) => `s${index}`);
      const user = reject(5);
      const answers = await Promise.all(
        labels.map((label) => bench.tryCreate(label, { userId: "ann" }, { user })),
      );
      expect(answers.filter((answer) => answer.status === "created")).toHaveLength(5);
      expect(await bench.ids({ userId: "ann", limit: 200 })).toHaveLength(5);
    },
  },
  {
    name: "ended sessions do not count against the user's limit",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a1", { userId: "ann" });
      await bench.end(idOf("a1"));
      await bench.create("a2", { userId: "ann", idleTimeout: HOUR }, { user: reject(1) });
      const { state } = await bench.create("b1", { userId: "bob" });
      await bench.apply(state.id, { change: signIn("eve") });
      await bench.create("b2", { userId: "bob" }, { user: reject(1) });
      expect(await bench.ids()).toHaveLength(3);
    },
  },
]);
