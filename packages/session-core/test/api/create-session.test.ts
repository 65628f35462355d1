import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { FailingStore } from "../support/failing-store.ts";
import { ApiWorld, BASE, ORIGIN, PEER } from "./support/api-world.ts";

const COOKIE = "__Host-kyb_session_id";

for (const behindSession of [true, false]) {
  const where = behindSession ? "behind session()" : "on its own";

  describe(`a session made for a user, ${where}`, () => {
    it("comes with its token, once, and without a cookie (R-08)", async () => {
      const world = new ApiWorld({ behindSession, api: { authorize: () => true } });
      const client = world.client();
      const body = { user_id: "user123", metadata: { role: "beta_tester" } };
      const answer = await client.send("POST", "", { body });
      expect(answer.status).toBe(201);
      expect(Object.keys(answer.body)).toEqual([
        "success",
        "session_id",
        "token",
        "message",
        "expires_at",
      ]);
      expect(answer.setCookies).toEqual([]);
      expect((await world.manager.metrics()).totalSessions).toBe(1);

      const made = await world.manager.get(String(answer.body.session_id));
      expect(made).toMatchObject({
        userId: "user123",
        metadata: { role: "beta_tester" },
        isActive: true,
      });
      // Nobody was there yet.
      expect(made).toMatchObject({ ipAddress: "", userAgent: "" });
      const user = world.client();
      user.cookies.set(COOKIE, String(answer.body.token));
      const current = await user.send("GET", "/current");
      expect(current.body.session).toMatchObject({
        id: answer.body.session_id,
        user_id: "user123",
      });
      expect((await client.send("GET", `/detail?session_id=${made?.id}`)).text).not.toContain(
        "token",
      );
    });

    it("does not turn the administrator into the user", async () => {
      const world = new ApiWorld({ behindSession });
      const admin = await world.signedIn("admin");
      const cookies = [...admin.cookies];
      const { setCookies } = await admin.send("POST", "", { body: { user_id: "bob" } });
      expect(setCookies).toEqual([]);
      expect([...admin.cookies]).toEqual(cookies);
      const { body } = await admin.send("GET", "/current");
      expect(body.session).toMatchObject({ user_id: "admin" });
    });

    it("is refused without permission, and nothing is made", async () => {
      const world = new ApiWorld({ behindSession, api: { clientWritable: ["theme"] } });
      const client = world.client();
      const body = { user_id: "bob", metadata: { theme: "dark" } };
      const answer = await client.send("POST", "", { body });
      expect([answer.status, answer.body.code, answer.setCookies]).toEqual([403, "FORBIDDEN", []]);
      expect((await world.manager.metrics()).totalSessions).toBe(0);
    });

    it("obeys the limit of the user", async () => {
      const config = { maxSessionsPerUser: 1, onUserLimit: "reject" } as const;
      const world = new ApiWorld({ behindSession, config, api: { authorize: () => true } });
      const client = world.client();
      expect((await client.send("POST", "", { body: { user_id: "bob" } })).status).toBe(201);
      const { status, body } = await client.send("POST", "", { body: { user_id: "bob" } });
      expect([status, body.code]).toEqual([409, "USER_LIMIT"]);
    });
  });

  describe(`a session made for the caller, ${where}`, () => {
    it("comes as a cookie, without a token in the body (R-08)", async () => {
      const world = new ApiWorld({ behindSession });
      const client = world.client();
      const answer = await client.send("POST", "");
      expect(answer.status).toBe(201);
      expect(Object.keys(answer.body)).toEqual(["success", "session_id", "message", "expires_at"]);
      expect(answer.setCookies).toHaveLength(1);
      expect(answer.setCookies[0]).toContain(`${COOKIE}=${answer.body.session_id}.`);
      const { body } = await client.send("GET", "/current");
      expect(body.session).toMatchObject({
        id: answer.body.session_id,
        user_id: null,
        current: true,
      });
    });

    it("is the one that there is, if there is one", async () => {
      const world = new ApiWorld({ behindSession });
      const client = await world.signedIn("alice");
      const answer = await client.send("POST", "", { body: {} });
      expect([answer.status, answer.body.session_id, answer.setCookies]).toEqual([
        200,
        client.sessionId,
        [],
      ]);
    });

    it("takes the keys in clientWritable, and with permission others too", async () => {
      const world = new ApiWorld({ behindSession, api: { clientWritable: ["theme", "size"] } });
      const client = world.client();
      const made = await client.send("POST", "", { body: { metadata: { theme: "dark" } } });
      expect(made.status).toBe(201);
      const id = String(made.body.session_id);
      const changed = await client.send("POST", "", { body: { metadata: { size: [1] } } });
      expect([changed.status, changed.body.session_id]).toEqual([200, id]);
      expect((await world.manager.get(id))?.metadata).toEqual({ theme: "dark", size: [1] });

      const admin = await world.signedIn("admin");
      expect((await admin.send("POST", "", { body: { metadata: { role: "x" } } })).status).toBe(
        200,
      );
      expect((await world.manager.get(admin.sessionId))?.metadata).toEqual({ role: "x" });
    });

    it("takes none by default, and then not even one of several", async () => {
      for (const key of ["role", "constructor", "userId", "user_id"]) {
        const world = new ApiWorld({ behindSession, api: { clientWritable: ["theme"] } });
        const [client, alice] = [world.client(), await world.signedIn("alice")];
        const body = { metadata: { theme: "dark", [key]: "admin" } };
        expect((await client.send("POST", "", { body })).status).toBe(403);
        expect((await alice.send("POST", "", { body })).status).toBe(403);
        expect((await world.manager.metrics()).totalSessions).toBe(1);
        expect((await world.manager.get(alice.sessionId))?.metadata).toEqual({});
        expect(client.cookies.size).toBe(0);
      }
    });

    it("asks for the action patch, about the session that is to change", async () => {
      const heard: unknown[] = [];
      const authorize = (context: { action: string; target?: object }): boolean => {
        heard.push([context.action, context.target]);
        return true;
      };
      const world = new ApiWorld({ behindSession, api: { authorize } });
      const alice = await world.signedIn("alice");
      await alice.send("POST", "", { body: { metadata: { role: "x" } } });
      await world.client().send("POST", "", { body: { metadata: { role: "x" } } });
      const target = { sessionId: alice.sessionId, userId: "alice" };
      expect(heard).toEqual([
        ["patch", target],
        ["patch", undefined],
      ]);
    });

    it("holds all of the data or none of it", async () => {
      const schema = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value: unknown) =>
            (value as { size?: unknown }).size === "huge"
              ? { issues: [{ message: "too big", path: ["size"] }] }
              : { value },
        },
      } as const;
      const config = { schema: schema as never, maxMetadataBytes: 100 };
      const api = { clientWritable: ["theme", "size"] };
      const world = new ApiWorld({ behindSession, config, api });
      const alice = await world.signedIn("alice", { theme: "light" });
      const refused = [
        [{ theme: "dark", size: "huge" }, 400, "INVALID_VALUE"],
        [{ theme: "dark", size: "x".repeat(200) }, 413, "METADATA_TOO_LARGE"],
      ] as const;
      for (const [metadata, status, code] of refused) {
        const newcomer = world.client();
        const made = await newcomer.send("POST", "", { body: { metadata } });
        expect([made.status, made.body.code, made.setCookies]).toEqual([status, code, []]);
        const changed = await alice.send("POST", "", { body: { metadata } });
        expect([changed.status, changed.body.code]).toEqual([status, code]);
        expect((await world.manager.get(alice.sessionId))?.metadata).toEqual({ theme: "light" });
      }
      expect((await world.manager.metrics()).totalSessions).toBe(1);
      expect((await alice.send("POST", "", { body: { metadata: { size: "x" } } })).status).toBe(
        200,
      );
    });

    it("is refused where the request cannot have one", async () => {
      const world = new ApiWorld({ behindSession, api: { clientWritable: ["theme"] } });
      const client = await world.signedIn("alice");
      const before = [...client.cookies];
      await client.visit((session) => session.signOut());
      for (const [name, value] of before) client.cookies.set(name, value);
      const events: unknown[] = [];
      world.manager.on("withheld", ({ reason, key }) => events.push(key ?? reason));
      world.manager.on("lost-write", ({ reason }) => events.push(reason));
      for (const init of [{}, { body: { metadata: { theme: "dark" } } }]) {
        const { status, body, setCookies } = await client.send("POST", "", init);
        expect([status, body.code, setCookies]).toEqual([409, "NO_SESSION", []]);
      }
      expect((await world.manager.metrics()).totalSessions).toBe(1);
      // Refused before anything was written: nobody is told of a write that was lost.
      expect(events).toEqual(["retired", "retired"]);
    });

    it("is refused where there is no room", async () => {
      const world = new ApiWorld({ behindSession, config: { maxSessions: 1 } });
      await world.signedIn("alice");
      const { status, body, headers } = await world.client().send("POST", "");
      expect([status, body.code, headers.get("retry-after")]).toEqual([503, "STORE_FULL", "1"]);
    });

    it("is told in general terms that the store has failed, and nothing is half done", async () => {
      const failing = new FailingStore(memoryStore());
      const config = { store: failing.store };
      const world = new ApiWorld({ behindSession, config, api: { clientWritable: ["theme"] } });
      const client = await world.signedIn("alice", { theme: "light" });
      failing.fail("rejects", "commit", "create");
      const body = { metadata: { theme: "dark" } };
      for (const each of [client, world.client()]) {
        const answer = await each.send("POST", "", { body });
        expect([answer.status, answer.body.code, answer.setCookies]).toEqual([
          503,
          "STORE_UNAVAILABLE",
          [],
        ]);
        expect(answer.text).not.toContain(failing.cause.message);
      }
      failing.recover();
      expect((await world.manager.get(client.sessionId))?.metadata).toEqual({ theme: "light" });
      expect((await world.manager.metrics()).totalSessions).toBe(1);
    });
  });
}

describe("a session behind session()", () => {
  it("keeps what stood in front of the API has changed, also if the API refuses", async () => {
    const world = new ApiWorld({
      api: { clientWritable: ["theme"] },
      config: { maxMetadataBytes: 100 },
    });
    const client = await world.signedIn("alice");
    const request = new Request(`${ORIGIN}${BASE}`, {
      method: "POST",
      headers: { cookie: `${COOKIE}=${client.token}`, "content-type": "application/json" },
      body: JSON.stringify({ metadata: { theme: "x".repeat(200) } }),
    });
    const visit = await world.manager.visit(request, PEER);
    visit.session.set("seen", true);
    const response = await world.api(request, PEER, { visit });
    expect(response?.status).toBe(413);
    await visit.commit();
    expect((await world.manager.get(client.sessionId))?.metadata).toEqual({ seen: true });
  });

  it("is not made again where what stood in front has just ended it", async () => {
    const world = new ApiWorld();
    const client = await world.signedIn("alice");
    const headers = { cookie: `${COOKIE}=${client.token}` };
    const request = new Request(`${ORIGIN}${BASE}`, { method: "POST", headers });
    const visit = await world.manager.visit(request, PEER);
    await visit.session.signOut();
    const response = await world.api(request, PEER, { visit });
    expect([response?.status, (await response?.json()) as unknown]).toMatchObject([
      409,
      { code: "NO_SESSION" },
    ]);
  });

  it("is never written to by a request that was opened before its user signed in", async () => {
    const world = new ApiWorld({ api: { clientWritable: ["theme"] } });
    const client = await world.anonymous({ cart: [] });
    const request = new Request(`${ORIGIN}${BASE}`, {
      method: "POST",
      headers: { cookie: `${COOKIE}=${client.token}`, "content-type": "application/json" },
      body: JSON.stringify({ metadata: { theme: "dark" } }),
    });
    const visit = await world.manager.visit(request, PEER);
    await client.visit((session) => session.signIn("alice"));
    const response = await world.api(request, PEER, { visit });
    expect([response?.status, (await response?.json()) as unknown]).toMatchObject([
      409,
      { code: "SESSION_SUPERSEDED" },
    ]);
    expect((await world.manager.get(client.sessionId))?.metadata).toEqual({});
  });
});
