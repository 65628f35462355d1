import { describe, expect, it } from "vitest";
import { allowLoopback, createSessionApi } from "../../src/api/index.ts";
import { ROUTES } from "../../src/api/routes.ts";
import { isSessionError, SessionManager } from "../../src/index.ts";
import { failureOf } from "../support/world.ts";
import { ApiWorld, reportsOf } from "./support/api-world.ts";

const ACTIONS = ["list", "detail", "activity", "create", "patch", "end", "metrics", "status"];

/** The message of the INVALID_CONFIG that these options cause. */
async function refusal(options: unknown): Promise<string> {
  const manager = new SessionManager();
  const error = await failureOf(() => createSessionApi(manager, options as never));
  if (!isSessionError(error) || error.code !== "INVALID_CONFIG") throw error;
  return error.message;
}

describe("createSessionApi", () => {
  it("throws without an authorizer (R-51)", async () => {
    expect(await refusal({})).toContain("authorize must be a function");
    expect(await refusal({ authorize: true })).toContain("authorize must be a function");
    expect(await refusal(undefined)).toContain("options must be an object");
    expect(await refusal(null)).toContain("options must be an object");
  });

  it("refuses options that it does not know, by name", async () => {
    const message = await refusal({ authorize: allowLoopback, clientReadble: ["theme"] });
    expect(message).toContain('"clientReadble"');
  });

  it("refuses base paths that no request could reach, or every one", async () => {
    const wrong = [
      "",
      "/",
      "v1",
      "/v1/",
      "//v1",
      "/v1//x",
      "/v1?x",
      "/v1/%73",
      "/v1/..%2f",
      7,
      null,
    ];
    for (const basePath of wrong) {
      expect(await refusal({ authorize: allowLoopback, basePath })).toContain("basePath must be");
    }
  });

  it("refuses lists of keys that are none", async () => {
    for (const keys of ["theme", [1], [""], {}, null]) {
      expect(await refusal({ authorize: allowLoopback, clientReadable: keys })).toContain(
        "clientReadable",
      );
      expect(await refusal({ authorize: allowLoopback, clientWritable: keys })).toContain(
        "clientWritable",
      );
    }
  });

  it("takes a copy of its options", async () => {
    const clientReadable = ["theme"];
    const world = new ApiWorld({ api: { clientReadable } });
    clientReadable.push("role");
    const client = await world.anonymous({ theme: "dark", role: "admin" });
    const { body } = await client.send("GET", "/current");
    expect(body.session).toMatchObject({ metadata: { theme: "dark" } });
    expect(JSON.stringify(body)).not.toContain("role");
  });

  it("keeps newcomers from getting a session only for asking", async () => {
    const world = new ApiWorld();
    const client = world.client();
    const { setCookies } = await client.send("GET", "/status");
    expect(setCookies).toEqual([]);
    expect((await world.manager.metrics()).totalSessions).toBe(0);
  });
});

describe("the route table", () => {
  it("declares for every route what is asked for (R-51)", () => {
    expect(ROUTES.length).toBeGreaterThan(8);
    for (const route of ROUTES) {
      const isPublic = route.path === "/openapi.json";
      expect([
        route.path,
        isPublic ? route.action === "public" : ACTIONS.includes(route.action),
      ]).toEqual([route.path, true]);
    }
  });

  it("asks for what it declares: by default nothing is permitted", async () => {
    for (const { method, path, action } of ROUTES) {
      if (action === "public") continue;
      const asked: string[] = [];
      const authorize = (context: { action: string }): boolean => {
        asked.push(context.action);
        return false;
      };
      const client = await new ApiWorld({ api: { authorize } }).signedIn("alice");
      const query = path === "/detail" || method === "DELETE" ? "?session_id=foreign" : "";
      const body = method === "POST" ? { body: { user_id: "bob" } } : {};
      await client.send(method, `${path === "/" ? "" : path}${query}`, body);
      // Without an id the timeline is the caller's own, and needs no permission.
      expect([path, [...new Set(asked)]]).toEqual([path, path === "/activity" ? [] : [action]]);
    }
  });
});

describe("an authorizer", () => {
  /** What `GET /metrics` answers when the authorizer answers this. */
  async function statusWith(authorize: () => unknown): Promise<number> {
    const world = new ApiWorld({ api: { authorize: authorize as never } });
    return (await world.client().send("GET", "/metrics")).status;
  }

  it("permits by true and by a promise of true, by nothing else (R-51)", async () => {
    expect(await statusWith(() => true)).toBe(200);
    expect(await statusWith(() => Promise.resolve(true))).toBe(200);
    const others: unknown[] = [undefined, null, 0, 1, "", "true", {}, [], false, Object(true)];
    for (const other of others) {
      expect(await statusWith(() => other)).toBe(403);
      expect(await statusWith(() => Promise.resolve(other))).toBe(403);
    }
    expect(await statusWith(() => ({ allowed: true }))).toBe(403);
  });

  it("refuses by throwing and by rejecting, and the error is reported", async () => {
    const error = new Error("the directory is down");
    const failing = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const authorize of failing) {
      const reports = await reportsOf(async () => expect(await statusWith(authorize)).toBe(403));
      expect(reports).toHaveLength(1);
      expect(reports[0]?.[1]).toBe(error);
    }
  });

  it("hears who asks for what, about whom, over which connection", async () => {
    const heard: unknown[] = [];
    const world = new ApiWorld({
      api: {
        authorize: ({ request, ...context }) => {
          heard.push({ ...context, session: context.session?.userId, url: request.url });
          return false;
        },
      },
    });
    const [alice, bob] = [await world.signedIn("alice"), await world.signedIn("bob")];
    await alice.send("GET", `/detail?session_id=${bob.sessionId}`);
    const connection = { remoteAddress: "203.0.113.9", encrypted: true };
    expect(heard).toEqual([
      {
        action: "detail",
        session: "alice",
        connection,
        target: { sessionId: bob.sessionId, userId: "bob" },
        url: `https://shop.example/v1/sessions/detail?session_id=${bob.sessionId}`,
      },
    ]);

    heard.length = 0;
    await world.client().send("POST", "", { body: { user_id: "carol" } });
    const url = "https://shop.example/v1/sessions";
    expect(heard).toEqual([
      { action: "create", session: undefined, connection, target: { userId: "carol" }, url },
    ]);
  });
});
