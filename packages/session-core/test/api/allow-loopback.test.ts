import { describe, expect, it } from "vitest";
import { allowLoopback } from "../../src/api/index.ts";
import { type ApiAnswer, ApiWorld } from "./support/api-world.ts";

function permits(url: string, headers: Record<string, string>, remoteAddress?: string): boolean {
  const connection = remoteAddress === undefined ? {} : { remoteAddress };
  return allowLoopback({ request: new Request(url, { headers }), connection });
}

describe("allowLoopback", () => {
  const url = "http://localhost:8080/v1/sessions";

  it("permits whoever sits at this machine", () => {
    for (const peer of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "[::1]:52100"]) {
      expect([peer, permits(url, {}, peer)]).toEqual([peer, true]);
    }
    for (const host of [
      "localhost",
      "localhost:8080",
      "LOCALHOST:1",
      "127.0.0.1:8080",
      "[::1]",
      "[::1]:80",
    ]) {
      expect([host, permits("http://other.example/", { host }, "127.0.0.1")]).toEqual([host, true]);
    }
  });

  it("refuses every other peer, and one that is not known", () => {
    const peers = [
      "203.0.113.9",
      "::",
      "0.0.0.0",
      "10.0.0.1",
      "::ffff:10.0.0.1",
      "128.0.0.1",
      "127.0.0.1.evil",
      "",
    ];
    for (const peer of [...peers, undefined]) {
      expect([peer, permits(url, {}, peer)]).toEqual([peer, false]);
    }
  });

  it("refuses every other host, so that no name that points here gets in", () => {
    const hosts = [
      "evil.example",
      "localhost.evil.example",
      "evil.example:8080",
      "127.0.0.1.nip.io",
      "localhost:8080@evil.example",
      "192.168.0.1",
      "[::2]",
      "localhost.",
    ];
    for (const host of hosts)
      expect([host, permits(url, { host }, "127.0.0.1")]).toEqual([host, false]);
    expect(permits("http://evil.example/", {}, "127.0.0.1")).toBe(false);
  });

  it("refuses what has come through a proxy, whatever the proxy says", () => {
    for (const name of [
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-forwarded-anything",
      "forwarded",
      "via",
      "x-real-ip",
      "X-Real-IP",
      "cf-connecting-ip",
      "true-client-ip",
    ]) {
      expect([name, permits(url, { [name]: "127.0.0.1" }, "127.0.0.1")]).toEqual([name, false]);
    }
  });
});

describe("the commands of the demo", () => {
  for (const mountPath of ["", "/admin"]) {
    for (const behindSession of [true, false]) {
      it(`work ${behindSession ? "behind session()" : "on its own"}${mountPath && `, below ${mountPath}`}`, async () => {
        const world = new ApiWorld({ behindSession, api: { authorize: allowLoopback } });
        const curl = async (method: string, path: string, body?: unknown): Promise<ApiAnswer> => {
          const answer = await world.client().sendTo(method, `${mountPath}${path}`, {
            body,
            mountPath,
            origin: "http://localhost:8080",
            connection: { remoteAddress: "127.0.0.1" },
          });
          return answer ?? Promise.reject(new Error("Nobody answered."));
        };
        const metadata = { role: "beta_tester" };
        const made = await curl("POST", "/v1/sessions", { user_id: "user123", metadata });
        expect(made.status).toBe(201);
        expect(made.body.token).toContain(`${made.body.session_id}.`);

        const current = await curl("GET", "/v1/sessions/current");
        expect(current.status).toBe(behindSession ? 200 : 404);

        const metrics = await curl("GET", "/v1/sessions/metrics");
        expect([metrics.status, metrics.body.metrics]).toMatchObject([
          200,
          { total_sessions: behindSession ? 2 : 1, total_requests: 0 },
        ]);

        const activity = await curl("GET", "/v1/sessions/activity?limit=50");
        expect(activity.status).toBe(behindSession ? 200 : 404);
        if (behindSession)
          expect(activity.body).toMatchObject({ activity: [], limit: 50, total_count: 0 });
      });
    }
  }

  it("are refused to everybody else", async () => {
    const world = new ApiWorld({ api: { authorize: allowLoopback } });
    const client = world.client();
    expect((await client.send("POST", "", { body: { user_id: "user123" } })).status).toBe(403);
    expect((await client.send("GET", "/metrics")).status).toBe(403);
    expect((await client.send("GET", "")).status).toBe(403);
  });
});
