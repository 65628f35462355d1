import { expect } from "vitest";
import {
  ABSOLUTE,
  commitOf,
  IDLE,
  idOf,
  MINUTE,
  metadataOf,
  requestItem,
  set,
  signIn,
  trackItem,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const endCases: readonly StoreCase[] = inTopic("end", [
  {
    name: "an ended session stays readable with its data, its secret's hash, and when and why it ended",
    async run(bench) {
      const { state } = await bench.create("a", { metadata: metadataOf({ a: 1 }) });
      await bench.advance(MINUTE);
      const result = await bench.store.end(state.id, "signed-out", {}, bench.call);
      if (result.status !== "ended") return expect.unreachable(`answered ${result.status}`);
      expect(typeof result.durable).toBe("boolean");
      expect(await bench.read(state.id)).toMatchObject({
        state: { secretHash: state.secretHash, metadata: { a: 1 } },
        endedAt: bench.now,
        endReason: "signed-out",
      });
    },
  },
  {
    name: "the second end answers gone, and the first one's reason and time stay",
    async run(bench) {
      const { state } = await bench.create("a");
      expect(await bench.end(state.id, "signed-out")).toBe("ended");
      const ended = await bench.read(state.id);
      await bench.advance(MINUTE);
      expect(await bench.end(state.id, "revoked")).toBe("gone");
      expect(await bench.read(state.id)).toEqual(ended);
    },
  },
  {
    name: "a session is ended once and heard of once, however many end it at the same time",
    needs: "userIndex",
    async run(bench) {
      const { state } = await bench.create("a", { userId: "ann" });
      const answers = await Promise.all([
        ...Array.from({ length: 8 }, () => bench.end(state.id)),
        bench.endUser("ann").then((ended) => (ended.length === 1 ? "ended" : "gone")),
      ]);
      expect(answers.filter((answer) => answer === "ended")).toHaveLength(1);
      expect(answers.filter((answer) => answer === "gone")).toHaveLength(8);
      expect(await bench.eventsOf("ended")).toHaveLength(1);
    },
  },
  {
    name: "an end that names an epoch ends only the session that still has it",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.apply(state.id, { change: signIn("ann") });
      const before = await bench.read(state.id);
      expect(await bench.end(state.id, "signed-out", 0)).toBe("superseded");
      expect(await bench.read(state.id)).toEqual(before);
      expect(await bench.end(state.id, "signed-out", 1)).toBe("ended");
    },
  },
  {
    name: "an end that comes after the deadline answers gone: the session ends for its age",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.advance(IDLE);
      expect(await bench.end(state.id, "revoked")).toBe("gone");
      expect(await bench.endIfDue(state.id)).toBeUndefined();
      expect((await bench.read(state.id)).endReason).toBe("idle");
    },
  },
  {
    name: "nothing brings an ended session back (R-26, F-01)",
    async run(bench) {
      const { state } = await bench.create("a", { userId: "ann" });
      const applied = commitOf("before", { ops: [set("a", 1)] });
      await bench.store.commit(state.id, applied, bench.call);
      await bench.end(state.id, "signed-out");
      const ended = await bench.read(state.id);

      const again = await bench.store.commit(state.id, applied, bench.call);
      expect(again.status, "not even a repeated commit").toBe("gone");
      await bench.commit(state.id, { ops: [set("a", 2)] });
      await bench.commit(state.id, { change: signIn("ann", { keep: true }) });
      await bench.track(
        trackItem(state.id, bench.now + 1),
        requestItem(state.id, bench.now + ABSOLUTE),
      );
      expect(await bench.endIfDue(state.id)).toBeUndefined();
      expect(await bench.sweep()).toBe(0);
      expect(await bench.read(state.id)).toEqual(ended);
      expect(await bench.ids({ status: "active" })).toEqual([]);
    },
  },
  {
    name: "endIfDue leaves live, ended and unknown sessions as they are",
    async run(bench) {
      const { state } = await bench.create("a");
      const live = await bench.endIfDue(state.id);
      expect(live?.state.id).toBe(state.id);
      expect((await bench.read(state.id)).endedAt).toBeUndefined();
      await bench.end(state.id, "signed-out");
      await bench.advance(IDLE);
      expect(await bench.endIfDue(state.id)).toBeUndefined();
      expect((await bench.read(state.id)).endReason).toBe("signed-out");
      expect(await bench.endIfDue(idOf("nobody"))).toBeUndefined();
    },
  },
  {
    name: "endUser ends all sessions of the user but the excepted one, and nobody else's (R-29)",
    needs: "userIndex",
    async run(bench) {
      for (const label of ["a1", "a2", "a3"]) await bench.create(label, { userId: "ann" });
      await bench.create("b1", { userId: "bob" });
      await bench.create("nobody");
      await bench.end(idOf("a3"), "signed-out");
      expect([...(await bench.endUser("ann", idOf("a2")))]).toEqual([idOf("a1")]);
      expect((await bench.read(idOf("a1"))).endReason).toBe("revoked");
      expect((await bench.read(idOf("a3"))).endReason).toBe("signed-out");
      expect((await bench.ids()).sort()).toEqual([idOf("a2"), idOf("b1"), idOf("nobody")].sort());
      expect(await bench.endUser("ann")).toEqual([idOf("a2")]);
      expect(await bench.endUser("ann")).toEqual([]);
    },
  },
  {
    name: "endUser reaches a session whose user signed in later, and not one that has gone over to another user (F-08)",
    needs: "userIndex",
    async run(bench) {
      const { state: later } = await bench.create("later");
      const { state: moved } = await bench.create("moved", { userId: "ann" });
      await bench.apply(later.id, { change: signIn("ann") });
      await bench.apply(moved.id, { change: signIn("bob") });
      expect(await bench.endUser("ann")).toEqual([later.id]);
      expect((await bench.read(moved.id)).endedAt).toBeUndefined();
      expect(await bench.endUser("bob")).toEqual([moved.id]);
    },
  },
  {
    name: "endUser ends a hundred sessions at once, each heard of once",
    needs: "userIndex",
    async run(bench) {
      const labels = Array.from({ length: 100 }, (_, index) => `s${index}`);
      for (const label of labels) await bench.create(label, { userId: "ann" });
      const ended = await bench.endUser("ann");
      expect([...ended].sort()).toEqual(labels.map(idOf).sort());
      expect(await bench.ids({ userId: "ann" })).toEqual([]);
      const heard = (await bench.eventsOf("ended")).map((event) => event.sessionId);
      expect(heard.sort()).toEqual([...ended].sort());
    },
  },
]);
