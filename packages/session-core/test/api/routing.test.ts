import { describe, expect, it } from "vitest";
import { type ApiAnswer, ApiWorld, BASE } from "./support/api-world.ts";

/** The status of a request to a full path; undefined: not the API's. */
async function statusAt(
  path: string,
  mountPath = "",
  basePath = BASE,
): Promise<number | undefined> {
  const world = new ApiWorld({ api: { authorize: () => true, basePath } });
  const answer = await world.client().sendTo("GET", path, { mountPath });
  return answer?.status;
}

describe("the management API's paths", () => {
  it("begin with the base path, on the border of a segment", async () => {
    expect(await statusAt("/v1/sessions")).toBe(200);
    expect(await statusAt("/v1/sessions/")).toBe(200);
    expect(await statusAt("/v1/sessions?limit=1")).toBe(200);
    expect(await statusAt("/v1/sessions/metrics")).toBe(200);
    expect(await statusAt("/v1/sessionsmetrics")).toBeUndefined();
    expect(await statusAt("/v1/session")).toBeUndefined();
    expect(await statusAt("/v1")).toBeUndefined();
    expect(await statusAt("/")).toBeUndefined();
    expect(await statusAt("/x/v1/sessions")).toBeUndefined();
    expect(await statusAt("//v1/sessions")).toBeUndefined();
    expect(await statusAt("/V1/Sessions")).toBeUndefined();
    expect(await statusAt("/who/is/on/status", "", "/who/is/on")).toBe(200);
  });

  it("may lie below a mount point, or be one", async () => {
    expect(await statusAt("/admin/v1/sessions/metrics", "/admin")).toBe(200);
    expect(await statusAt("/admin/v1/sessions/metrics", "/admin/")).toBe(200);
    expect(await statusAt("/v1/sessions/metrics", "/v1")).toBe(200);
    expect(await statusAt("/v1/sessions/metrics", "/v1/sessions")).toBe(200);
    expect(await statusAt("/admin/v1/sessions/metrics", "/admin/v1/sessions")).toBe(200);
    expect(await statusAt("/admin/v1/sessions", "/admin/v1/sessions")).toBe(200);
    expect(await statusAt("/admin/v1/sessions/", "/admin/v1/sessions")).toBe(200);
    expect(await statusAt("/admin/metrics", "/admin")).toBeUndefined();
    // Half of the base path consumed by a router is not the base path.
    expect(await statusAt("/a/v1/sessions/metrics", "/a/v1")).toBeUndefined();
    // A mount point that is not in the path says nothing.
    expect(await statusAt("/b/v1/sessions/metrics", "/a")).toBeUndefined();
    expect(await statusAt("/v1/sessions/metrics", "/a")).toBe(200);
  });

  it("are decoded once, after they were split (R-66)", async () => {
    expect(await statusAt("/v1/sess%69ons/m%65trics")).toBe(200);
    expect(await statusAt("/v1/sess%2569ons/metrics")).toBeUndefined();
    expect(await statusAt("/v1%2Fsessions/metrics")).toBeUndefined();
    expect(await statusAt("/v1/sessions%2Fmetrics")).toBeUndefined();
    expect(await statusAt("/v1/sessions/%2Fmetrics")).toBe(404);
    expect(await statusAt("/v1/sessions/%zz")).toBe(404);
    expect(await statusAt("/v1/sessions/%ff")).toBe(404);
    expect(await statusAt("/v1/sessions/x/..%2f..%2fmetrics")).toBe(404);
  });

  it("that do not exist are not found, in the envelope", async () => {
    for (const path of [
      "/nothing",
      "/metrics/",
      "/metrics/x",
      "//",
      "//metrics",
      "/current.json",
    ]) {
      const { status, body } = await new ApiWorld().client().send("GET", path);
      expect([path, status, body.code]).toEqual([path, 404, "NOT_FOUND"]);
    }
  });
});

describe("the management API's methods", () => {
  it("are those of the route: others are answered 405 with Allow (R-55)", async () => {
    const client = new ApiWorld({ api: { authorize: () => true } }).client();
    const allowed = [
      ["", "GET, HEAD, POST, DELETE"],
      ["/current", "GET, HEAD"],
      ["/detail", "GET, HEAD"],
      ["/metrics", "GET, HEAD"],
      ["/activity", "GET, HEAD"],
      ["/status", "GET, HEAD"],
      ["/openapi.json", "GET, HEAD"],
    ] as const;
    for (const [path, allow] of allowed) {
      for (const method of ["PUT", "PATCH", "OPTIONS", "PROPFIND"]) {
        const { status, headers, body } = await client.send(method, path);
        expect([status, headers.get("allow"), body.code]).toEqual([
          405,
          allow,
          "METHOD_NOT_ALLOWED",
        ]);
      }
    }
    expect((await client.send("POST", "/metrics")).status).toBe(405);
    expect((await client.send("DELETE", "/current")).status).toBe(405);
  });

  it("cannot be overridden by a header (R-55)", async () => {
    const world = new ApiWorld();
    const client = await world.signedIn("alice");
    const headers = { "x-http-method-override": "DELETE", "x-method-override": "DELETE" };
    const { status } = await client.send("POST", "", { headers });
    expect(status).toBe(200);
    expect((await world.manager.get(client.sessionId))?.isActive).toBe(true);
  });

  it("answer HEAD as GET, without the body", async () => {
    const client = await new ApiWorld().signedIn("alice");
    for (const path of ["", "/current", "/status", "/openapi.json", "/nothing", "/metrics"]) {
      const get = await client.send("GET", path);
      const head = await client.send("HEAD", path);
      expect([path, head.status, head.text]).toEqual([path, get.status, ""]);
      expect([...head.headers]).toEqual([...get.headers]);
    }
  });
});

describe("every answer of the management API", () => {
  it("carries the same protecting headers, whatever it says (R-64)", async () => {
    const client = await new ApiWorld().signedIn("alice");
    const answers: ApiAnswer[] = [
      await client.send("GET", ""),
      await client.send("POST", ""),
      await client.send("GET", "/nothing"),
      await client.send("OPTIONS", ""),
      await client.send("GET", "/metrics"),
      await client.send("GET", "?limit=0"),
      await client.send("POST", "", { body: "x", headers: { "content-type": "text/plain" } }),
      await client.send("DELETE", `?session_id=${client.sessionId}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 405, 403, 400, 415, 200]);
    for (const { headers } of answers) {
      expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("vary")).toBe("Cookie, Authorization, X-Session-ID");
      // CORS is off, and no header says what runs here.
      const names = [...headers.keys()].filter((name) =>
        /^access-control|^server|powered|version/.test(name),
      );
      expect(names).toEqual([]);
    }
  });

  it("stays out of the timeline and of every count", async () => {
    for (const behindSession of [true, false]) {
      const world = new ApiWorld({ behindSession });
      const client = await world.signedIn("alice");
      const before = await world.manager.metrics();
      for (const path of ["", "/current", "/activity", "/nothing", "/metrics", "?limit=0"]) {
        await client.send("GET", path);
      }
      const after = await world.manager.metrics();
      expect(after.totalRequests).toBe(before.totalRequests);
      expect((await world.manager.activity(client.sessionId)).total).toBe(1);
      expect((await world.manager.get(client.sessionId))?.requestCount).toBe(1);
    }
  });

  it("does not keep its caller signed in", async () => {
    for (const behindSession of [true, false]) {
      const config = { sessionTimeout: "1h", create: "write" } as const;
      const world = new ApiWorld({ behindSession, config });
      const client = await world.signedIn("alice");
      for (let minutes = 0; minutes < 60; minutes += 10) {
        expect((await client.send("GET", "/current")).status).toBe(200);
        world.clock.advance(10 * 60_000);
      }
      expect([behindSession, (await client.send("GET", "/current")).status]).toEqual([
        behindSession,
        404,
      ]);
    }
  });

  it("confirms a provisional session", async () => {
    const world = new ApiWorld({ config: { provisionalTimeout: "10m" } });
    const client = world.client();
    await client.send("GET", "/current");
    await client.send("GET", "/current");
    world.clock.advance(11 * 60_000);
    expect((await client.send("GET", "/status")).status).toBe(200);
    expect((await world.manager.metrics()).activeSessions).toBe(1);
  });
});
