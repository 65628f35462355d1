import { expect } from "vitest";
import { hashOf, IDLE, idOf, MINUTE, set, signIn } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const eventCases: readonly StoreCase[] = inTopic("events", [
  {
    name: "creation, sign-in, regeneration and end are heard of once each, with session, user, time and reason",
    async run(bench) {
      await bench.create("a");
      const at = bench.now;
      const sessionId = idOf("a");
      expect(await bench.eventsOf("created")).toEqual([
        { type: "created", sessionId, userId: undefined, at, reason: undefined },
      ]);
      await bench.apply(sessionId, { change: signIn("ann") });
      expect(await bench.eventsOf("signed-in")).toEqual([
        { type: "signed-in", sessionId, userId: "ann", at, reason: undefined },
      ]);
      await bench.apply(sessionId, {
        epoch: 1,
        change: { kind: "regenerate", secretHash: hashOf("next") },
      });
      expect(await bench.eventsOf("regenerated")).toEqual([
        { type: "regenerated", sessionId, userId: "ann", at, reason: undefined },
      ]);
      await bench.advance(MINUTE);
      await bench.end(sessionId, "signed-out");
      expect(await bench.eventsOf("ended")).toEqual([
        { type: "ended", sessionId, userId: "ann", at: bench.now, reason: "signed-out" },
      ]);
      expect(await bench.eventsOf("created")).toHaveLength(1);
    },
  },
  {
    name: "a successor is heard of when it becomes the secret, not when it is offered",
    async run(bench) {
      await bench.create("a");
      await bench.apply(idOf("a"), {
        change: { kind: "offer", secretHash: hashOf("next"), nonce: "nonce" },
      });
      expect(await bench.eventsOf("regenerated")).toEqual([]);
      await bench.apply(idOf("a"), { secretHash: hashOf("next"), change: { kind: "promote" } });
      expect(await bench.eventsOf("regenerated")).toHaveLength(1);
    },
  },
  {
    name: "a session that ends for its age is heard of once, whoever finds it first",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a", { userId: "ann" });
      await bench.create("b");
      await bench.advance(IDLE);
      await Promise.all([bench.endIfDue(idOf("a")), bench.sweep(), bench.endIfDue(idOf("a"))]);
      await bench.endUser("ann");
      const heard = await bench.eventsOf("ended");
      expect(heard.map(({ sessionId }) => sessionId).sort()).toEqual([idOf("a"), idOf("b")].sort());
      expect(heard.map(({ reason }) => reason)).toEqual(["idle", "idle"]);
    },
  },
  {
    name: "what writes nothing is not heard of",
    needs: "userIndex",
    async run(bench) {
      await bench.create("a");
      await bench.settle();
      const before = bench.events.length;
      await bench.commit(idOf("a"), { epoch: 3, change: signIn("ann") });
      await bench.commit(idOf("a"), { ops: [set("a", 1)] });
      await bench.request(idOf("a"));
      await bench.end(idOf("nobody"));
      await bench.endUser("nobody");
      await bench.settle();
      expect(bench.events.length).toBe(before);
    },
  },
  {
    name: "each listener hears everything until it stops, and the others go on",
    async run(bench) {
      const heard: string[] = [];
      const stop = bench.store.subscribe((event) => heard.push(event.type));
      await bench.create("a");
      await bench.settle();
      expect(heard).toEqual(["created"]);
      stop();
      stop();
      await bench.end(idOf("a"));
      expect(await bench.eventsOf("ended")).toHaveLength(1);
      expect(heard).toEqual(["created"]);
    },
  },
]);
