import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/index.ts";
import { SECOND } from "../support/clock.ts";
import { CountingStore } from "../support/counting-store.ts";
import { type ApiClient, ApiWorld } from "./support/api-world.ts";

type Row = Record<string, unknown> & { readonly id: string };

async function rows(client: ApiClient, query: string): Promise<Row[]> {
  return (await client.send("GET", query)).body.sessions as Row[];
}

/** An administrator, and users who came one second after the other. */
async function crowd(
  userIds: readonly string[],
): Promise<{ world: ApiWorld; admin: ApiClient; ids: string[] }> {
  const world = new ApiWorld();
  const admin = await world.signedIn("admin");
  const ids: string[] = [];
  for (const userId of userIds) {
    world.clock.advance(SECOND);
    ids.push((await world.signedIn(userId)).sessionId);
  }
  return { world, admin, ids };
}

describe("a session as it is shown", () => {
  it("has every documented field, times in UTC, durations in milliseconds", async () => {
    const world = new ApiWorld({
      config: { sessionTimeout: "1h" },
      api: { clientReadable: ["theme"] },
    });
    const client = await world.signedIn("alice", { theme: "dark" });
    world.clock.advance(90 * SECOND);
    await client.visit();
    world.clock.advance(SECOND);
    const { body } = await client.send("GET", "/current");
    expect(body).toEqual({
      success: true,
      session: {
        id: client.sessionId,
        user_id: "alice",
        ip_address: "203.0.113.9",
        user_agent: "curl/8.5.0",
        client: {
          browser: { name: "curl", version: "8.5.0" },
          device: "bot",
          bot: true,
          label: "curl 8.5",
        },
        created_at: "2030-01-01T12:00:00.000Z",
        last_access_time: "2030-01-01T12:01:30.000Z",
        last_activity_time: "2030-01-01T12:01:30.000Z",
        request_count: 2,
        is_active: true,
        expires_at: "2030-01-01T13:01:30.000Z",
        ended_at: null,
        end_reason: null,
        session_duration_ms: 90_000,
        metadata: { theme: "dark" },
        current: true,
      },
    });
  });

  it("tells with permission when and why it has ended", async () => {
    const { world, admin, ids } = await crowd(["alice"]);
    const [id = ""] = ids;
    world.clock.advance(SECOND);
    await world.manager.revoke(id);
    const { body } = await admin.send("GET", `/detail?session_id=${id}`);
    expect(body.session).toMatchObject({
      is_active: false,
      ended_at: "2030-01-01T12:00:02.000Z",
      end_reason: "revoked",
      current: false,
    });
    const activity = await admin.send("GET", `/activity?session_id=${id}`);
    expect([activity.status, activity.body.total_count]).toEqual([200, 1]);
  });

  it("has a time that RFC 3339 can write, however long it may live", async () => {
    const forever = Number.MAX_SAFE_INTEGER;
    const world = new ApiWorld({ config: { sessionTimeout: forever, absoluteTimeout: forever } });
    const client = await world.signedIn("alice");
    const { body } = await client.send("GET", "/current");
    expect(body.session).toMatchObject({ expires_at: "9999-12-31T23:59:59.999Z" });
  });
});

describe("GET /v1/sessions/current", () => {
  it("makes a session behind session() with create: 'visit', and answers 404 elsewhere", async () => {
    const cases = [
      [{}, true, 200],
      [{ create: "write" }, true, 404],
      [{ transports: ["bearer"] }, true, 404],
      [{}, false, 404],
    ] as const;
    for (const [config, behindSession, status] of cases) {
      const world = new ApiWorld({ config, behindSession });
      for (const path of ["/current", "/activity"]) {
        const answer = await world.client().send("GET", path);
        expect([path, answer.status, answer.setCookies.length]).toEqual([
          path,
          status,
          status === 200 ? 1 : 0,
        ]);
      }
    }
  });

  it("makes none for a request that may not have one", async () => {
    const client = new ApiWorld().client();
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-dest": "image" }]) {
      const { status, setCookies } = await client.send("GET", "/current", { headers });
      expect([status, setCookies]).toEqual([404, []]);
    }
  });

  it("costs one look at the store, as the caller's own session always does", async () => {
    for (const behindSession of [true, false]) {
      const counting = new CountingStore(memoryStore());
      const world = new ApiWorld({ behindSession, config: { store: counting.store } });
      const client = await world.signedIn("alice");
      await client.visit();
      for (const path of ["/current", `/detail?session_id=${client.sessionId}`]) {
        counting.take();
        expect((await client.send("GET", path)).status).toBe(200);
        expect(counting.take()).toEqual(["find"]);
      }
    }
  });
});

describe("GET /v1/sessions", () => {
  it("lists newest first by default, and by what sort says", async () => {
    const { world, admin, ids } = await crowd(["a", "b", "c"]);
    const users = async (query: string): Promise<unknown[]> =>
      (await rows(admin, query)).map(({ user_id }) => user_id);
    expect(await users("")).toEqual(["c", "b", "a", "admin"]);
    expect(await users("?sort=-created_at")).toEqual(["c", "b", "a", "admin"]);
    expect(await users("?sort=created_at")).toEqual(["admin", "a", "b", "c"]);
    const [first = ""] = ids;
    await world.manager.revoke(first);
    expect(await users("?sort=-last_access_time&limit=2")).toEqual(["c", "b"]);
    expect(await users("?sort=last_access_time")).toEqual(["admin", "b", "c"]);
    expect(await users("?status=ended")).toEqual(["a"]);
    expect(await users("?status=all&sort=created_at")).toEqual(["admin", "a", "b", "c"]);
    expect(await users("?user_id=b")).toEqual(["b"]);
    expect(await users("?user_id=a")).toEqual([]);
    expect(await users("?user_id=a&status=all")).toEqual(["a"]);
  });

  it("comes in pages that neither repeat nor miss a row", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `user${index}`);
    const { admin, ids } = await crowd(names);
    const byCursor: string[] = [];
    let cursor: unknown = "";
    for (let page = 0; page < 4; page++) {
      const { body } = await admin.send(
        "GET",
        `?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      byCursor.push(...(body.sessions as Row[]).map(({ id }) => id));
      expect([body.count, body.total_count]).toEqual([2, 8]);
      expect(typeof body.next_cursor).toBe(page === 3 ? "undefined" : "string");
      cursor = body.next_cursor;
    }
    const expected = [admin.sessionId, ...ids].reverse();
    expect(byCursor).toEqual(expected);
    const byOffset = [
      ...(await rows(admin, "?limit=5")),
      ...(await rows(admin, "?limit=5&offset=5")),
    ];
    expect(byOffset.map(({ id }) => id)).toEqual(expected);
  });

  it("searches ids, addresses and the beginnings of user ids, without a total", async () => {
    const { admin, ids } = await crowd(["anna", "anton", "bert"]);
    const search = async (q: string): Promise<unknown[]> => {
      const { body } = await admin.send("GET", `?q=${q}&sort=created_at`);
      expect("total_count" in body).toBe(false);
      return (body.sessions as Row[]).map(({ user_id }) => user_id);
    };
    expect(await search("an")).toEqual(["anna", "anton"]);
    expect(await search(ids[2] ?? "")).toEqual(["bert"]);
    expect(await search("203.0.113.9")).toEqual(["admin", "anna", "anton", "bert"]);
    expect(await search("nna")).toEqual([]);
  });

  it("marks the caller's own session", async () => {
    const world = new ApiWorld();
    const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
    const own = (await rows(desk, "")).map(({ id, current }) => [id, current]);
    expect(own.sort()).toEqual(
      [
        [desk.sessionId, true],
        [phone.sessionId, false],
      ].sort(),
    );
  });

  it("shows a visitor the own session, as far as it matches", async () => {
    const client = await new ApiWorld().anonymous();
    const ids = async (query: string): Promise<string[]> =>
      (await rows(client, query)).map(({ id }) => id);
    const own = [client.sessionId];
    expect(await ids("")).toEqual(own);
    expect(await ids("?status=active&limit=1&sort=created_at")).toEqual(own);
    expect(await ids(`?q=${client.sessionId}`)).toEqual(own);
    expect(await ids("?q=203.0.113.9")).toEqual(own);
    expect(await ids("?q=203")).toEqual([]);
    expect(await ids("?offset=1")).toEqual([]);
    expect((await client.send("GET", "")).body.total_count).toBe(1);
    expect("total_count" in (await client.send("GET", "?q=x")).body).toBe(false);
    expect((await client.send("GET", "?cursor=x")).status).toBe(400);
  });
});

describe("GET /v1/sessions/activity", () => {
  it("is the timeline, newest first, in pages", async () => {
    const world = new ApiWorld();
    const client = await world.signedIn("alice");
    for (let visit = 1; visit <= 4; visit++) {
      world.clock.advance(SECOND);
      await client.visit(() => undefined, `/page/${visit}?secret=x`);
    }
    const { body } = await client.send("GET", "/activity?limit=2");
    expect(body).toMatchObject({
      session_id: client.sessionId,
      count: 2,
      total_count: 5,
      offset: 0,
      limit: 2,
    });
    expect((body.activity as unknown[])[0]).toEqual({
      timestamp: "2030-01-01T12:00:04.000Z",
      action: "request",
      endpoint: "/page/4",
      method: "GET",
      status_code: 204,
      duration_ms: 0,
      request_size: 0,
      response_size: 0,
    });
    const endpoints = async (query: string): Promise<unknown[]> => {
      const answer = await client.send("GET", `/activity${query}`);
      return (answer.body.activity as { endpoint: string }[]).map(({ endpoint }) => endpoint);
    };
    expect(await endpoints(`?cursor=${body.next_cursor}`)).toEqual(["/page/2", "/page/1", "/"]);
    expect(await endpoints("?offset=3&limit=1")).toEqual(["/page/1"]);
  });

  it("holds the application's own actions with their data", async () => {
    const client = await new ApiWorld().signedIn("alice");
    await client.visit((session) => session.track("checkout", { total: 12 }), "/cart");
    const { body } = await client.send("GET", "/activity");
    expect(
      (body.activity as { action: string }[]).find(({ action }) => action === "checkout"),
    ).toMatchObject({
      endpoint: "/cart",
      status_code: 0,
      metadata: { total: 12 },
    });
  });

  it("refuses the cursor of another session", async () => {
    const world = new ApiWorld();
    const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
    for (let visit = 0; visit < 3; visit++) await desk.visit();
    const { body } = await desk.send("GET", "/activity?limit=1");
    const path = `/activity?session_id=${phone.sessionId}&cursor=${body.next_cursor}`;
    const answer = await desk.send("GET", path);
    expect([answer.status, answer.body.code]).toEqual([400, "INVALID_PARAMETER"]);
  });
});
