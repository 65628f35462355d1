import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { FailingStore } from "../support/failing-store.ts";
import { ApiWorld, reportsOf } from "./support/api-world.ts";

const PERMIT = { authorize: (): boolean => true };

describe("GET /v1/sessions/metrics", () => {
  it("agrees with what was done", async () => {
    const world = new ApiWorld({ api: PERMIT });
    const alice = await world.signedIn("alice");
    await world.signedIn("bob");
    world.clock.advance(10_000);
    await alice.visit();
    const visitor = await world.anonymous();
    await visitor.visit((session) => session.signOut());
    const { body } = await world.client().send("GET", "/metrics");
    expect(body.metrics).toMatchObject({
      total_sessions: 3,
      active_sessions: 2,
      expired_sessions: 0,
      average_session_length_ms: 5000,
      total_requests: 6,
      requests_per_session: 2,
      last_updated: "2030-01-01T12:00:10.000Z",
      peak_sessions: 3,
      peak_sessions_time: "2030-01-01T12:00:10.000Z",
      signed_in_sessions: 2,
      anonymous_sessions: 0,
      active_users: 2,
      ended_by_reason: { "signed-out": 1, revoked: 0 },
      requests_by_status: { "2xx": 6, "5xx": 0 },
    });
    const hours = (body.metrics as { sessions_by_hour: Record<string, number> }).sessions_by_hour;
    expect([Object.keys(hours).length, hours["12"], hours["11"]]).toEqual([24, 3, 0]);
  });

  it("has no peak before the first session", async () => {
    const { body } = await new ApiWorld({ api: PERMIT }).client().send("GET", "/metrics");
    expect(body.metrics).toMatchObject({ peak_sessions: 0, peak_sessions_time: null });
  });

  it("is answered 501 where metrics are off", async () => {
    const world = new ApiWorld({ api: PERMIT, config: { enableMetrics: false } });
    const { status, body } = await world.client().send("GET", "/metrics");
    expect([status, body.code]).toEqual([501, "DISABLED"]);
    // Who may not see the numbers does not learn that there are none.
    const refused = new ApiWorld({ config: { enableMetrics: false } });
    expect((await refused.client().send("GET", "/metrics")).status).toBe(403);
  });
});

describe("GET /v1/sessions/status", () => {
  it("tells everybody whether it works and what is on, and nothing more", async () => {
    const config = { trackUserActivity: false };
    const { body } = await new ApiWorld({ config }).client().send("GET", "/status");
    expect(body).toEqual({
      success: true,
      status: "operational",
      features: {
        session_management: true,
        user_tracking: false,
        metrics: true,
        user_index: true,
        durable_store: false,
        shared_store: false,
      },
    });
  });

  it("tells with permission how it is set up", async () => {
    const config = { maxSessions: 5, maxSessionsPerUser: 2, sessionTimeout: "1h" };
    const world = new ApiWorld({ api: PERMIT, config });
    const client = await world.signedIn("alice");
    const { body } = await client.send("GET", "/status");
    const { metrics } = (await client.send("GET", "/metrics")).body;
    expect(body).toMatchObject({
      configuration: {
        store: "memory",
        session_timeout_ms: 3_600_000,
        max_sessions: 5,
        max_sessions_per_user: 2,
        on_user_limit: "evict-oldest",
        transports: ["cookie"],
      },
      timestamp: "2030-01-01T12:00:00.000Z",
    });
    expect({ ...(body.current_metrics as object), ...(body.statistics as object) }).toEqual(
      metrics,
    );
  });

  it("has no numbers where metrics are off", async () => {
    const world = new ApiWorld({ api: PERMIT, config: { enableMetrics: false } });
    const { body } = await world.client().send("GET", "/status");
    expect(Object.keys(body)).toEqual([
      "success", "status", "features", "version", "configuration", "timestamp",
    ]); // biome-ignore format: a list of names
  });
});

describe("a failure", () => {
  it("of the store is answered 503, without the driver's words", async () => {
    for (const onStoreError of ["fail", "unavailable"] as const) {
      const failing = new FailingStore(memoryStore());
      const config = { store: failing.store, onStoreError };
      const world = new ApiWorld({
        api: PERMIT,
        config,
        behindSession: onStoreError === "unavailable",
      });
      const client = await world.signedIn("alice");
      failing.fail("throws");
      const requests = [
        ["GET", "/current"],
        ["GET", ""],
        ["GET", "/metrics"],
        ["POST", ""],
        ["DELETE", `?session_id=${client.sessionId}`],
      ] as const;
      for (const [method, path] of requests) {
        const answer = await client.send(method, path);
        expect([path, answer.status, answer.body]).toEqual([
          path,
          503,
          {
            success: false,
            error: "The session store cannot be reached at the moment.",
            code: "STORE_UNAVAILABLE",
          },
        ]);
        expect(answer.headers.get("retry-after")).toBe("1");
        // Never a cleared cookie because of an outage.
        expect(answer.setCookies).toEqual([]);
      }
      failing.recover();
      expect((await client.send("GET", "/current")).status).toBe(200);
    }
  });

  it("that nobody foresaw is answered in general terms and reported (R-59)", async () => {
    const failure = new TypeError("secret is not a function at /srv/app/store.ts");
    const config = {
      skip: (): boolean => {
        throw failure;
      },
    };
    const client = new ApiWorld({ config, behindSession: false }).client();
    const reports = await reportsOf(async () => {
      const { status, body } = await client.send("GET", "/current");
      expect([status, body]).toEqual([
        500,
        { success: false, error: "Something went wrong in the server.", code: "INTERNAL" },
      ]);
    });
    expect(reports).toEqual([["@kyb/session: a request to the management API failed", failure]]);
  });
});
