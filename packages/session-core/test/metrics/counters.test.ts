import { describe, expect, it } from "vitest";
import { Counters, type Gauges } from "../../src/metrics/counters.ts";

const HOUR = 3_600_000;
const NOW = 500_000 * HOUR;
const GAUGES: Gauges = {
  activeSessions: 3,
  signedInSessions: 2,
  anonymousSessions: 1,
  provisionalSessions: 1,
  totalLength: 77,
  activityDropped: 5,
  lostSessions: 0,
};

describe("Counters", () => {
  it("begin at zero and pass on what the store knows", () => {
    const snapshot = new Counters().snapshot(GAUGES, NOW);
    expect(snapshot).toMatchObject({
      ...GAUGES,
      totalSessions: 0,
      totalRequests: 0,
      peakSessions: 0,
    });
    expect(Object.values(snapshot.endedByReason)).toEqual(new Array(10).fill(0));
    expect(snapshot.sessionsByHour).toEqual(new Array(24).fill(0));
  });

  it("keep the peak and the moment when it was first reached", () => {
    const counters = new Counters();
    for (const [index, active] of [1, 2, 3, 2, 3].entries()) counters.created(NOW + index, active);
    const snapshot = counters.snapshot(GAUGES, NOW);
    expect(snapshot).toMatchObject({
      totalSessions: 5,
      peakSessions: 3,
      peakSessionsTime: NOW + 2,
    });
  });

  it("count sessions by UTC hour, and forget an hour when it comes round again", () => {
    const counters = new Counters();
    const hour = (NOW / HOUR) % 24;
    counters.created(NOW + HOUR - 1, 1);
    counters.created(NOW + HOUR, 2);
    expect(counters.snapshot(GAUGES, NOW + 23 * HOUR).sessionsByHour[hour]).toBe(1);
    expect(counters.snapshot(GAUGES, NOW + 24 * HOUR).sessionsByHour[hour]).toBe(0);
    expect(counters.snapshot(GAUGES, NOW + 24 * HOUR).sessionsByHour[(hour + 1) % 24]).toBe(1);
  });

  it("count requests by class, endpoint, duration and user", () => {
    const counters = new Counters();
    const statuses = [0, 99, 100, 199, 200, 301, 404, 499, 500, 599, 600];
    for (const statusCode of statuses) {
      counters.request({ endpoint: "/a", statusCode, duration: 1 }, "ann", NOW);
    }
    counters.request({ endpoint: "/b", statusCode: 200, duration: 1e9 }, undefined, NOW);
    const snapshot = counters.snapshot(GAUGES, NOW);
    expect(snapshot.requestsByStatusClass).toEqual([3, 2, 2, 1, 2, 2]);
    expect(snapshot.totalRequests).toBe(12);
    expect(snapshot.requestsLastMinute).toBe(12);
    expect(snapshot.activeUsers).toBe(1);
    expect(snapshot.durations.at(-1)).toBe(1);
    expect(snapshot.endpoints).toEqual([
      { endpoint: "/a", requests: 11 },
      { endpoint: "/b", requests: 1 },
    ]);
  });

  it("give snapshots that do not change afterwards", () => {
    const counters = new Counters();
    counters.ended("idle");
    const snapshot = counters.snapshot(GAUGES, NOW);
    counters.ended("idle");
    counters.created(NOW, 1);
    counters.request({ endpoint: "/a", statusCode: 200, duration: 1 }, "ann", NOW);
    expect(snapshot.endedByReason.idle).toBe(1);
    expect(snapshot.totalSessions).toBe(0);
    expect(snapshot.durations.reduce((sum, count) => sum + count, 0)).toBe(0);
    expect(snapshot.requestsByStatusClass[2]).toBe(0);
  });
});
