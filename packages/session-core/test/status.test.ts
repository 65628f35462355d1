import { describe, expect, it } from "vitest";
import type { SessionMetrics } from "../src/metrics/session-metrics.ts";
import { VERSION } from "../src/version.ts";
import { DAY, HOUR, MINUTE, SECOND, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";

describe("metrics", () => {
  it("count to the unit", async () => {
    const world = new World({ maxSessionsPerUser: 2, sessionTimeout: "1h" });
    const first = await world.signedIn("alice");
    world.clock.advance(SECOND);
    const second = await world.signedIn("alice");
    world.clock.advance(SECOND);
    const visitor = world.browser();
    await visitor.request();
    await world.browser().request();
    world.clock.advance(10 * SECOND);
    await first.request((session) => session.track("looked"), { path: "/a", status: 500 });
    await first.request(undefined, { path: "/a", status: 404 });
    await visitor.request(undefined, { path: "/b", status: 302 });
    // A third session of the user, for which the first one has to go.
    await world.signedIn("alice");
    await second.request((session) => session.signOut());
    await world.manager.recordActivity((await world.manager.list()).items[0]?.id ?? "", {
      action: "mailed",
    });
    await world.browser().request(undefined, { options: { management: true } });

    const metrics = await world.manager.metrics();
    expect(pick(metrics, [
      "totalSessions", "activeSessions", "expiredSessions", "signedInSessions", "anonymousSessions",
      "provisionalSessions", "totalRequests", "requestsPerMinute", "peakSessions", "peakSessionsTime",
      "lastUpdated", "activeUsers", "limitHits", "trackingDropped",
    ])).toEqual({
      totalSessions: 5,
      activeSessions: 3,
      expiredSessions: 0,
      signedInSessions: 1,
      anonymousSessions: 2,
      provisionalSessions: 1,
      totalRequests: 9,
      requestsPerMinute: 9,
      peakSessions: 5,
      peakSessionsTime: START + 12 * SECOND,
      lastUpdated: START + 12 * SECOND,
      activeUsers: 1,
      limitHits: 0,
      trackingDropped: 0,
    }); // biome-ignore format: a list
  });

  it("count requests by status and endpoint, and their durations", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    for (const [path, status, duration] of [
      ["/a?x=1", 200, 10],
      ["/a", 503, 10],
      ["/b", 404, 1000],
    ] as const) {
      const visit = await browser.open({ path });
      world.clock.advance(duration);
      visit.finish({ status, responseSize: 0 });
    }
    const metrics = await world.manager.metrics();
    expect(metrics.requestsByStatus).toEqual({
      "1xx": 0,
      "2xx": 2,
      "3xx": 0,
      "4xx": 1,
      "5xx": 1,
      other: 0,
    });
    expect(metrics.errorRate).toBe(0.25);
    expect(metrics.topEndpoints).toEqual([
      { endpoint: "/a", requests: 2 },
      { endpoint: "/", requests: 1 },
      { endpoint: "/b", requests: 1 },
    ]);
    expect(metrics.durationP50).toBeGreaterThan(5);
    expect(metrics.durationP50).toBeLessThan(20);
    expect(metrics.durationP99).toBeGreaterThan(700);
  });

  it("count the ends by reason, and lengths by the live sessions", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const alice = await world.signedIn("alice");
    const bob = await world.signedIn("bob");
    await world.browser().request();
    world.clock.advance(20 * MINUTE);
    await alice.request();
    await bob.request((session) => session.signOut());
    world.clock.advance(41 * MINUTE);
    await world.store.sweep({ milliseconds: 1000 }, { signal: new AbortController().signal });
    const metrics = await world.manager.metrics();
    expect(metrics.endedByReason).toMatchObject({ provisional: 1, "signed-out": 1, idle: 0 });
    expect(metrics.expiredSessions).toBe(1);
    expect(metrics.activeSessions).toBe(1);
    expect(metrics.averageSessionLength).toBe(20 * MINUTE);
    expect(metrics.sessionsByHour["12"]).toBe(3);
    expect(Object.keys(metrics.sessionsByHour)).toHaveLength(24);
    expect(metrics.requestsPerSession).toBe(5 / 3);
  });

  it("of a manager without them throw DISABLED", async () => {
    const world = new World({ enableMetrics: false });
    expect(await failureOf(world.manager.metrics())).toMatchObject({
      code: "DISABLED",
      status: 501,
    });
  });

  it("count limits that were hit", async () => {
    const world = new World({ maxSessions: 1 });
    await world.signedIn("alice");
    await world.browser().request();
    expect((await world.manager.metrics()).limitHits).toBe(1);
  });
});

describe("status", () => {
  it("says what is switched on, how it is set up and what is going on", async () => {
    const world = new World({
      maxSessionsPerUser: 3,
      transports: ["cookie", "bearer"],
      sessionTimeout: "1h",
    });
    await world.signedIn("alice");
    const status = await world.manager.status();
    expect(status).toMatchObject({
      status: "operational",
      features: {
        sessionManagement: true,
        userTracking: true,
        metrics: true,
        userIndex: true,
        durableStore: false,
        sharedStore: false,
      },
      version: VERSION,
      configuration: {
        store: "memory",
        sessionTimeout: HOUR,
        absoluteTimeout: 30 * DAY,
        provisionalTimeout: 10 * MINUTE,
        maxSessions: 1000,
        maxSessionsPerUser: 3,
        onUserLimit: "evict-oldest",
        create: "visit",
        transports: ["cookie", "bearer"],
        activityLimit: 1000,
        maxMetadataBytes: 65_536,
      },
      timestamp: START,
    });
    expect(status.metrics?.activeSessions).toBe(1);
  });

  it("has no metrics where they are off", async () => {
    const status = await new World({
      enableMetrics: false,
      trackUserActivity: false,
    }).manager.status();
    expect(status.metrics).toBeUndefined();
    expect(status.features).toMatchObject({ metrics: false, userTracking: false });
  });
});

function pick<Key extends keyof SessionMetrics>(
  metrics: SessionMetrics,
  keys: Key[],
): Pick<SessionMetrics, Key> {
  return Object.fromEntries(keys.map((key) => [key, metrics[key]])) as Pick<SessionMetrics, Key>;
}
