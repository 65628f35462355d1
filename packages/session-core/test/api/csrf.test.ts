import { describe, expect, it } from "vitest";
import {
  type ApiAnswer,
  ApiWorld,
  type Init,
  ORIGIN,
  type WorldOptions,
} from "./support/api-world.ts";

const ABSENT = undefined;
const SITES = [
  ABSENT,
  "same-origin",
  "none",
  "same-site",
  "cross-site",
  "",
  "same-origin, none",
  "Same-Origin",
];
const ORIGINS = [
  ABSENT,
  ORIGIN,
  "https://evil.example",
  "null",
  "http://shop.example",
  "https://shop.example:8443",
  "https://shop.example.evil.example",
  "",
];
const TYPES = [ABSENT, "application/json", "text/plain", "application/x-www-form-urlencoded"];

/** The rule of the specification, in other words than the implementation's. */
function mayChange(site: string | undefined, origin: string | undefined): boolean {
  if (site !== ABSENT) return ["same-origin", "none"].includes(site);
  return [ABSENT, ORIGIN].includes(origin);
}

function headersOf(entries: Record<string, string | undefined>): Record<string, string> {
  const given = Object.entries(entries).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(given);
}

/** What a signed-in client with these headers is answered when it ends its session. */
async function signOut(
  headers: Record<string, string>,
  options: WorldOptions = {},
  init: Init = {},
): Promise<ApiAnswer> {
  const client = await new ApiWorld(options).signedIn("alice");
  return client.send("DELETE", `?session_id=${client.sessionId}`, { ...init, headers });
}

describe("a request that changes something", () => {
  it("obeys the rule for every mix of Sec-Fetch-Site, Origin, Content-Type and method (R-53)", async () => {
    const counts = { allowed: 0, refused: 0 };
    for (const site of SITES) {
      for (const origin of ORIGINS) {
        for (const type of TYPES) {
          const from = { "sec-fetch-site": site, origin };
          const headers = headersOf({ ...from, "content-type": type });
          const allowed = mayChange(site, origin);
          counts[allowed ? "allowed" : "refused"]++;
          const world = new ApiWorld({ api: { clientWritable: ["theme"] } });
          const client = await world.signedIn("alice");

          const posted = await client.send("POST", "", {
            headers,
            body: '{"metadata":{"theme":"dark"}}',
          });
          const expected = type === "application/json" ? 200 : 415;
          expect([from, type, posted.status]).toEqual([from, type, allowed ? expected : 403]);
          if (!allowed) expect(posted.body.code).toBe("CROSS_SITE");
          const isStored = (await world.manager.get(client.sessionId))?.metadata.theme === "dark";
          expect([from, type, isStored]).toEqual([from, type, allowed && expected === 200]);

          const deleted = await client.send("DELETE", `?session_id=${client.sessionId}`, {
            headers,
          });
          expect([from, deleted.status]).toEqual([from, allowed ? 200 : 403]);
          const isActive = (await world.manager.get(client.sessionId))?.isActive;
          expect([from, isActive]).toEqual([from, !allowed]);
        }
      }
    }
    // Sites that are allowed outright, with every origin; and the origins that are where there is no site.
    expect(counts).toEqual({ allowed: (2 * 8 + 2) * 4, refused: (5 * 8 + 6) * 4 });
  });

  it("may not come from elsewhere whatever the authorizer says", async () => {
    const options = { api: { authorize: () => true } };
    const { status } = await signOut({ "sec-fetch-site": "cross-site" }, options);
    expect(status).toBe(403);
    const client = new ApiWorld(options).client();
    const created = await client.send("POST", "", {
      body: { user_id: "bob" },
      headers: { origin: "https://evil.example" },
    });
    expect([created.status, created.body.code]).toEqual([403, "CROSS_SITE"]);
  });

  it("is told from reading: GET and HEAD may come from anywhere", async () => {
    const client = await new ApiWorld().signedIn("alice");
    const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect((await client.send("GET", "/current", { headers })).status).toBe(200);
    expect((await client.send("HEAD", "/current", { headers })).status).toBe(200);
  });
});

describe("the origin that a change must come from", () => {
  it("is publicUrl where there is one", async () => {
    const options = { config: { publicUrl: "https://www.shop.example" } };
    expect((await signOut({ origin: "https://www.shop.example" }, options)).status).toBe(200);
    expect((await signOut({ origin: ORIGIN }, options)).status).toBe(403);
  });

  it("else is the scheme and the host that the client asked for", async () => {
    const plain = { connection: { remoteAddress: "203.0.113.9" }, origin: "http://localhost:8080" };
    const client = new ApiWorld({ api: { authorize: () => true } }).client();
    const post = async (headers: Record<string, string>, init: Init = {}): Promise<number> =>
      (await client.send("POST", "", { body: { user_id: "bob" }, ...init, headers })).status;
    expect(await post({ origin: "http://localhost:8080" }, plain)).toBe(201);
    expect(await post({ origin: "http://localhost" }, plain)).toBe(403);
    expect(await post({ origin: "https://localhost:8080" }, plain)).toBe(403);
    expect(await post({ origin: "http://shop.example", host: "shop.example" }, plain)).toBe(201);
    // The port that goes without saying, said.
    expect(await post({ origin: "https://shop.example", host: "shop.example:443" })).toBe(201);
    expect(await post({ origin: "https://shop.example", host: "SHOP.example" })).toBe(201);
  });

  it("is what a trusted proxy was asked for, and what an untrusted one says counts nothing", async () => {
    const headers = { "x-forwarded-host": "www.shop.example", "x-forwarded-proto": "https" };
    const connection = { remoteAddress: "10.0.0.1" };
    const post = async (origin: string, trustProxy: string[]): Promise<number> => {
      const world = new ApiWorld({ config: { trustProxy }, api: { authorize: () => true } });
      const init = { body: { user_id: "bob" }, headers: { ...headers, origin }, connection };
      return (await world.client().send("POST", "", init)).status;
    };
    expect(await post("https://www.shop.example", ["10.0.0.0/8"])).toBe(201);
    expect(await post("https://shop.example", ["10.0.0.0/8"])).toBe(403);
    expect(await post("https://www.shop.example", ["192.0.2.1"])).toBe(403);
    expect(await post("http://shop.example", ["192.0.2.1"])).toBe(201);
  });
});

describe("a token in a header", () => {
  const foreign = { "sec-fetch-site": "cross-site", origin: "https://app.example" };

  /** A world where all transports are on, with a token for each. */
  async function tokens(): Promise<{ world: ApiWorld; bearer: string; header: string }> {
    const world = new ApiWorld({ config: { transports: ["cookie", "bearer", "header"] } });
    const made = async (transport: "bearer" | "header"): Promise<string> =>
      (await world.manager.create({ userId: "alice", transport })).token;
    return { world, bearer: await made("bearer"), header: await made("header") };
  }

  it("frees from the rule, for no page of another site can write it", async () => {
    const { world, bearer, header } = await tokens();
    const credentials = [{ authorization: `Bearer ${bearer}` }, { "x-session-id": header }];
    for (const credential of credentials) {
      const headers = { ...foreign, ...credential };
      const { status, body } = await world.client().send("POST", "", { headers });
      expect([status, body.session_id]).toEqual([
        200,
        Object.values(credential)[0]?.match(/[\w-]+(?=\.)/)?.[0],
      ]);
    }
  });

  it("frees from nothing if it did not open the session", async () => {
    const { world, bearer } = await tokens();
    const [id] = bearer.split(".");
    const wrong = [
      { authorization: `Bearer ${id}.${"A".repeat(43)}` },
      { authorization: `Bearer ${"A".repeat(32)}.${"A".repeat(43)}` },
      { authorization: "Bearer nonsense" },
      { authorization: `Basic ${bearer}` },
      { authorization: bearer },
      // A token works on its own transport alone.
      { "x-session-id": bearer },
    ];
    for (const credential of wrong) {
      const headers = { ...foreign, ...credential };
      expect((await world.client().send("POST", "", { headers })).status).toBe(403);
    }
  });

  it("frees from nothing if the session has only just been made", async () => {
    const { world } = await tokens();
    const headers = {
      origin: "https://evil.example",
      authorization: `Bearer ${"A".repeat(32)}.${"A".repeat(43)}`,
    };
    // The encoded path keeps session() from knowing that the request is the API's, so it makes a session.
    const answer = await world.client().sendTo("POST", "/v1/sess%69ons", { headers });
    expect([answer?.status, answer?.setCookies.length]).toEqual([403, 1]);
  });

  it("frees from nothing beside the cookie of a user", async () => {
    const { world, bearer } = await tokens();
    const client = await world.signedIn("bob");
    const end = (authorization: string): Promise<ApiAnswer> =>
      client.send("DELETE", `?session_id=${client.sessionId}`, {
        headers: { ...foreign, authorization },
      });
    expect((await end("Bearer nonsense")).status).toBe(403);
    // Two tokens that disagree are no credential at all; here `session()` stands in front and refuses.
    await expect(end(`Bearer ${bearer}`)).rejects.toThrow("more than one session token");
    expect((await world.manager.get(client.sessionId))?.isActive).toBe(true);
  });

  it("frees from nothing where its transport is off", async () => {
    const world = new ApiWorld();
    const { token } = await world.manager.create({ userId: "alice" });
    const client = await world.signedIn("bob");
    const headers = { ...foreign, authorization: `Bearer ${token}`, "x-session-id": token };
    expect((await client.send("POST", "", { headers })).status).toBe(403);
  });

  it("that disagrees with another one is answered 400 (R-07)", async () => {
    const world = new ApiWorld({
      config: { transports: ["cookie", "bearer"] },
      behindSession: false,
    });
    const { token } = await world.manager.create({ userId: "alice", transport: "bearer" });
    const client = await world.signedIn("bob");
    const headers = { authorization: `Bearer ${token}` };
    const { status, body } = await client.send("GET", "/current", { headers });
    expect([status, body.code]).toEqual([400, "CREDENTIALS_CONFLICT"]);
  });
});
