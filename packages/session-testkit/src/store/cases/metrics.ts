import { expect } from "vitest";
import type { EndReason, StoreMetrics } from "../contract.ts";
import { HOUR, idOf, MINUTE, PROVISIONAL, requestItem, SECOND, set, signIn } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const metricsCases: readonly StoreCase[] = inTopic("metrics", [
  {
    name: "a store that has seen nothing counts nothing",
    async run(bench) {
      const metrics = await bench.metrics();
      expect(metrics).toMatchObject({
        totalSessions: 0,
        activeSessions: 0,
        signedInSessions: 0,
        anonymousSessions: 0,
        provisionalSessions: 0,
        totalLength: 0,
        totalRequests: 0,
        peakSessions: 0,
        requestsLastMinute: 0,
        activeUsers: 0,
        activityDropped: 0,
        lostSessions: 0,
      });
      expect(metrics.sessionsByHour).toEqual(new Array(24).fill(0));
      expect(sum(metrics.requestsByStatusClass)).toBe(0);
      expect(metrics.requestsByStatusClass).toHaveLength(6);
      expect(sum(metrics.durations)).toBe(0);
      expect(endedCounts(metrics)).toEqual({});
    },
  },
  {
    name: "after a scripted history every number is right to the unit",
    async run(bench) {
      const start = bench.now;
      await bench.create("ann 1", { userId: "ann" });
      await bench.create("ann 2", { userId: "ann" });
      await bench.create("bob", { provisionalTimeout: PROVISIONAL });
      await bench.create("shy", { provisionalTimeout: PROVISIONAL });
      await bench.create("gone", { provisionalTimeout: PROVISIONAL });
      expect(await bench.metrics()).toMatchObject({
        totalSessions: 5,
        activeSessions: 5,
        signedInSessions: 2,
        anonymousSessions: 3,
        provisionalSessions: 3,
      });
      await bench.advance(MINUTE);
      await bench.apply(idOf("bob"), { change: signIn("bob") });
      await bench.request(idOf("ann 1"), { statusCode: 200, duration: 5, endpoint: "/a" });
      await bench.request(idOf("bob"), { statusCode: 404, duration: 50, endpoint: "/b" });
      await bench.advance(SECOND);
      await bench.request(idOf("bob"), { statusCode: 503, duration: 500, endpoint: "/a" });
      await bench.request(idOf("shy"), { statusCode: 301, duration: 70_000 }, { confirm: true });
      await bench.end(idOf("ann 2"), "signed-out");
      await bench.end(idOf("ann 2"), "revoked");
      await bench.advance(PROVISIONAL);
      await bench.sweep();
      await bench.request(idOf("gone"), { statusCode: 200, endpoint: "/a" });

      const metrics = await bench.metrics();
      expect(metrics).toMatchObject({
        totalSessions: 5,
        activeSessions: 3,
        signedInSessions: 2,
        anonymousSessions: 1,
        provisionalSessions: 0,
        // ann 1 was last seen after 60 s, bob and shy after 61 s.
        totalLength: 60 * SECOND + 2 * 61 * SECOND,
        totalRequests: 5,
        peakSessions: 5,
        peakSessionsTime: start,
        activityDropped: 0,
        lostSessions: 0,
      });
      expect(endedCounts(metrics)).toEqual({ "signed-out": 1, provisional: 1 });
      expect(metrics.requestsByStatusClass).toEqual([0, 0, 2, 1, 1, 1]);
      expect(sum(metrics.durations)).toBe(5);
      expect(metrics.durations.at(-1), "what takes more than a minute").toBe(1);
      const counts = metrics.endpoints.map(({ endpoint, requests }) => [endpoint, requests]);
      expect(Object.fromEntries(counts.filter(([, requests]) => requests !== 0))).toEqual({
        "/": 1,
        "/a": 3,
        "/b": 1,
      });
    },
  },
  {
    name: "a session leaves the provisional ones once, by whatever comes first",
    async run(bench) {
      for (const label of ["confirmed", "stored", "signed in", "ended", "still"]) {
        await bench.create(label, { provisionalTimeout: PROVISIONAL });
      }
      for (let round = 0; round < 2; round++) {
        await bench.request(idOf("confirmed"));
        await bench.apply(idOf("stored"), { ops: [set("a", round)] });
        await bench.request(idOf("stored"));
        await bench.apply(idOf("confirmed"), { ops: [set("a", round)] });
        await bench.end(idOf("ended"));
      }
      await bench.apply(idOf("signed in"), { change: signIn("ann") });
      expect(await bench.metrics()).toMatchObject({
        activeSessions: 4,
        anonymousSessions: 3,
        signedInSessions: 1,
        provisionalSessions: 1,
      });
    },
  },
  {
    name: "every reason to end is counted under its own name",
    async run(bench) {
      const reasons: EndReason[] = [
        "signed-out",
        "revoked",
        "reuse",
        "binding",
        "shutdown",
        "erased",
      ];
      for (const reason of reasons) {
        await bench.create(reason);
        await bench.end(idOf(reason), reason);
      }
      await bench.create("idle", { idleTimeout: SECOND });
      await bench.create("absolute", { absoluteTimeout: SECOND });
      await bench.create("provisional", { provisionalTimeout: SECOND });
      await bench.advance(SECOND);
      await bench.sweep();
      await bench.create("limit");
      await bench.create("last", {}, { maxSessions: 1 });
      const metrics = await bench.metrics();
      expect(endedCounts(metrics)).toEqual(
        Object.fromEntries(
          [...reasons, "idle", "absolute", "provisional", "limit"].map((r) => [r, 1]),
        ),
      );
      expect(metrics).toMatchObject({ activeSessions: 1, totalSessions: 11 });
    },
  },
  {
    name: "the length of the live sessions follows their last access and forgets those that ended",
    needs: "userIndex",
    async run(bench) {
      for (const label of ["a", "b"]) await bench.create(label, { userId: label });
      await bench.advance(MINUTE);
      await bench.request(idOf("a"), {}, { active: false });
      await bench.request(idOf("b"));
      await bench.track(requestItem(idOf("b"), bench.now - SECOND));
      expect((await bench.metrics()).totalLength).toBe(2 * MINUTE);
      await bench.end(idOf("a"));
      expect((await bench.metrics()).totalLength).toBe(MINUTE);
      await bench.endUser("b");
      expect((await bench.metrics()).totalLength).toBe(0);
    },
  },
  {
    name: "the peak stays when sessions go, with the time at which it was reached first",
    async run(bench) {
      await bench.create("a");
      await bench.advance(SECOND);
      await bench.create("b");
      const peak = { peakSessions: 2, peakSessionsTime: bench.now };
      await bench.advance(SECOND);
      await bench.end(idOf("a"));
      expect(await bench.metrics()).toMatchObject(peak);
      await bench.create("c");
      expect(await bench.metrics()).toMatchObject(peak);
      await bench.advance(SECOND);
      await bench.create("d");
      expect(await bench.metrics()).toMatchObject({ peakSessions: 3, peakSessionsTime: bench.now });
    },
  },
  {
    name: "sessions started are counted by UTC hour, for the last 24 hours only",
    async run(bench) {
      const hour = new Date(bench.now).getUTCHours();
      await bench.create("a");
      await bench.create("b");
      await bench.advance(2 * HOUR);
      await bench.create("c");
      const byHour = new Array<number>(24).fill(0);
      byHour[hour] = 2;
      byHour[(hour + 2) % 24] = 1;
      expect((await bench.metrics()).sessionsByHour).toEqual(byHour);
      await bench.advance(22 * HOUR);
      await bench.create("d");
      byHour[hour] = 1;
      expect((await bench.metrics()).sessionsByHour).toEqual(byHour);
      await bench.advance(48 * HOUR);
      expect((await bench.metrics()).sessionsByHour).toEqual(new Array(24).fill(0));
    },
  },
  {
    name: "requests of the last minute and users of the last five leave the count with time",
    async run(bench) {
      await bench.create("ann 1", { userId: "ann" });
      await bench.create("ann 2", { userId: "ann" });
      await bench.create("bob");
      await bench.apply(idOf("bob"), { change: signIn("bob") });
      await bench.create("nobody");
      for (const label of ["ann 1", "ann 2", "bob", "nobody"]) await bench.request(idOf(label));
      expect(await bench.metrics()).toMatchObject({ requestsLastMinute: 4, activeUsers: 2 });
      await bench.advance(2 * MINUTE);
      await bench.request(idOf("bob"));
      expect(await bench.metrics()).toMatchObject({ requestsLastMinute: 1, activeUsers: 2 });
      await bench.advance(4 * MINUTE);
      expect(await bench.metrics()).toMatchObject({ requestsLastMinute: 0, activeUsers: 1 });
      await bench.advance(HOUR);
      expect(await bench.metrics()).toMatchObject({
        requestsLastMinute: 0,
        activeUsers: 0,
        totalRequests: 5,
      });
    },
  },
  {
    name: "refused sessions and commits that write nothing change no number",
    async run(bench) {
      await bench.create("a", { userId: "ann" });
      const before = await bench.metrics();
      await bench.tryCreate("b", {}, { maxSessions: 1 });
      await bench.commit(idOf("a"), { epoch: 4, change: signIn("bob") });
      await bench.commit(idOf("nobody"), { ops: [set("a", 1)] });
      await bench.end(idOf("nobody"));
      await bench.end(idOf("a"), "revoked", 4);
      expect(await bench.metrics()).toEqual(before);
    },
  },
  {
    name: "the number of endpoints counted one by one is bounded, and no request is lost with it (R-43)",
    async run(bench) {
      await bench.create("a");
      for (let batch = 0; batch < 10; batch++) {
        const items = Array.from({ length: 50 }, (_, index) =>
          requestItem(idOf("a"), bench.now, { endpoint: `/item/${batch}/${index}` }),
        );
        await bench.track(...items);
      }
      const { endpoints } = await bench.metrics();
      expect(endpoints.length).toBeLessThanOrEqual(201);
      expect(sum(endpoints.map(({ requests }) => requests))).toBe(500);
    },
  },
]);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function endedCounts(metrics: StoreMetrics): Record<string, number> {
  const entries = Object.entries(metrics.endedByReason).filter(([, count]) => count !== 0);
  return Object.fromEntries(entries);
}
