import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { HOUR, MINUTE, START } from "./support/clock.ts";
import { CountingStore } from "./support/counting-store.ts";
import { World } from "./support/world.ts";

describe("a newcomer", () => {
  it("gets an anonymous session and its cookie", async () => {
    const world = new World();
    const browser = world.browser({
      remoteAddress: "192.0.2.7",
      headers: { "user-agent": "Test/1.0" },
    });
    const { session, setCookies } = await browser.request();
    expect(setCookies).toHaveLength(1);
    expect(session).toMatchObject({
      isNew: true,
      state: "ok",
      userId: undefined,
      ipAddress: "192.0.2.7",
      userAgent: "Test/1.0",
      createdAt: START,
      lastAccessTime: START,
      lastActivityTime: START,
      isActive: true,
      endedAt: undefined,
      endReason: undefined,
    });
    expect(session.metadata).toEqual({});
    expect(browser.token?.startsWith(`${session.id}.`)).toBe(true);
    expect(world.events("created")).toEqual([
      { sessionId: session.id, userId: undefined, at: START },
    ]);
  });

  it("is provisional: without the cookie coming back the session ends after provisionalTimeout", async () => {
    const world = new World();
    const { session } = await world.browser().request();
    expect(session.expiresAt).toBe(START + 10 * MINUTE);
    world.clock.advance(10 * MINUTE - 1);
    expect((await world.manager.get(session.id))?.isActive).toBe(true);
    world.clock.advance(1);
    expect((await world.manager.get(session.id))?.isActive).toBe(false);
  });

  it("is provisional no longer once the cookie has come back", async () => {
    const world = new World();
    const browser = world.browser();
    await browser.request();
    world.clock.advance(9 * MINUTE);
    const { session } = await browser.request();
    expect((await world.manager.get(session.id))?.expiresAt).toBe(START + 9 * MINUTE + 24 * HOUR);
  });

  it("gets nothing before something is stored, where create is 'write'", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ create: "write", store: counting.store });
    const browser = world.browser();
    const { session, setCookies } = await browser.request((current) => {
      expect(current.get("cart")).toBeUndefined();
      expect(current.metadata).toEqual({});
    });
    expect(session).toMatchObject({ id: "", isNew: false, state: "ok", isActive: false });
    expect(setCookies).toEqual([]);
    expect(counting.take()).toEqual([]);
  });

  it("gets a session with the first thing that is stored, where create is 'write'", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ create: "write", store: counting.store });
    const browser = world.browser();
    const { session, setCookies } = await browser.request((current) => {
      current.set("cart", ["tea"]);
      current.increment("views", 2);
      expect(current.metadata).toEqual({ cart: ["tea"], views: 2 });
    });
    expect(setCookies).toHaveLength(1);
    expect(session.isNew).toBe(true);
    expect(session.metadata).toEqual({ cart: ["tea"], views: 2 });
    expect(counting.take().filter((method) => method !== "track")).toEqual(["create"]);
    const next = await browser.request();
    expect(next.session.id).toBe(session.id);
    expect(next.session.metadata).toEqual({ cart: ["tea"], views: 2 });
  });

  it("is made by ensure, once, where create is 'write'", async () => {
    const world = new World({ create: "write" });
    const visit = await world.browser().open();
    await Promise.all([visit.ensure(), visit.ensure()]);
    await visit.ensure();
    expect(visit.session.isNew).toBe(true);
    expect((await world.manager.list()).total).toBe(1);
  });
});

describe("a returning visitor", () => {
  it("has the same session, and no cookie is set again", async () => {
    const world = new World();
    const browser = world.browser();
    const first = await browser.request((session) => session.set("theme", "dark"));
    world.clock.advance(MINUTE);
    const second = await browser.request();
    expect(second.session.id).toBe(first.session.id);
    expect(second.session.isNew).toBe(false);
    expect(second.session.get("theme")).toBe("dark");
    expect(second.setCookies).toEqual([]);
  });

  it("costs one find, and no write that the request waits for (R-28)", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ store: counting.store });
    const browser = world.browser();
    await browser.request();
    await browser.request();
    counting.take();
    const visit = await browser.open();
    expect(counting.take()).toEqual(["find"]);
    expect(visit.session.get("x")).toBeUndefined();
    expect(visit.isDirty).toBe(false);
    await browser.answer(visit);
    expect(counting.take()).toEqual(["track"]);
  });

  it("keeps the session alive by coming back, up to the absolute end (R-22)", async () => {
    const world = new World({ sessionTimeout: "1h", absoluteTimeout: "3h" });
    const browser = world.browser();
    const { session } = await browser.request();
    await browser.request();
    for (let visit = 0; visit < 3; visit++) {
      world.clock.advance(HOUR - 1);
      expect((await browser.request()).session.id).toBe(session.id);
    }
    world.clock.advance(2);
    const before = await browser.open();
    expect(before.session.id).toBe(session.id);
    world.clock.advance(1);
    const after = await browser.open();
    expect(after.session.id).not.toBe(session.id);
    expect(world.events("ended")).toMatchObject([{ sessionId: session.id, reason: "absolute" }]);
  });

  it("is a newcomer after the idle timeout", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const browser = world.browser();
    const { session } = await browser.request((current) => current.set("a", 1));
    world.clock.advance(HOUR);
    const { session: next, setCookies } = await browser.request();
    expect(next.isNew).toBe(true);
    expect(next.id).not.toBe(session.id);
    expect(next.metadata).toEqual({});
    expect(setCookies).toHaveLength(1);
    expect(world.events("ended")).toMatchObject([{ sessionId: session.id, reason: "idle" }]);
  });

  it("is a newcomer after the session was revoked and its minute is over", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session } = await browser.request();
    await world.manager.revoke(session.id);
    world.clock.advance(MINUTE);
    const { session: next } = await browser.request();
    expect(next).toMatchObject({ isNew: true, userId: undefined });
  });
});

describe("a request that is skipped", () => {
  it("has no visit: no store call, no cookie, no entry, and a handle that says so", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ store: counting.store, skip: ({ url }) => url === "/health" });
    const browser = await world.signedIn("alice");
    counting.take();
    const { session, setCookies } = await browser.request(undefined, { path: "/health" });
    expect(session).toMatchObject({ id: "", userId: undefined, state: "unsaved" });
    expect(setCookies).toEqual([]);
    expect(counting.take()).toEqual([]);
    expect(world.events("withheld")).toEqual([]);
  });
});

describe("a request about sessions", () => {
  it("gives a newcomer no session, where it is opened as management", async () => {
    const world = new World();
    const { session, setCookies } = await world
      .browser()
      .request(undefined, { options: { management: true } });
    expect(session.id).toBe("");
    expect(setCookies).toEqual([]);
  });

  it("gives a newcomer no session on a reserved path, which may be mounted anywhere", async () => {
    const world = new World();
    world.manager.reserve("/v1/sessions");
    for (const path of ["/v1/sessions", "/v1/sessions/current", "/admin/v1/sessions/metrics?x=1"]) {
      expect((await world.browser().request(undefined, { path })).setCookies).toEqual([]);
    }
    for (const path of ["/v1/sessionsx", "/v1", "/"]) {
      expect((await world.browser().request(undefined, { path })).setCookies).toHaveLength(1);
    }
  });

  it("confirms a provisional session", async () => {
    const world = new World();
    const browser = world.browser();
    const { session } = await browser.request();
    await browser.request(undefined, { options: { management: true } });
    world.clock.advance(10 * MINUTE);
    expect((await world.manager.get(session.id))?.isActive).toBe(true);
  });

  it("counts nowhere and keeps nobody alive, also behind a middleware that did not know", async () => {
    const world = new World({ sessionTimeout: "1h" });
    world.manager.reserve("/v1/sessions");
    const browser = await world.signedIn("alice");
    const { session } = await browser.request();
    const before = await world.manager.metrics();
    world.clock.advance(40 * MINUTE);
    await browser.request((_session, visit) => visit.markManagement(), {
      path: "/v1/sessions/current",
    });
    await browser.request(undefined, {
      path: "/v1/sessions/current",
      options: { management: true },
    });
    const found = await world.manager.get(session.id);
    expect(found).toMatchObject({
      lastActivityTime: START,
      lastAccessTime: START,
      requestCount: 2,
    });
    expect((await world.manager.metrics()).totalRequests).toBe(before.totalRequests);
    expect((await world.manager.activity(session.id)).total).toBe(2);
  });
});

describe("opening a visit", () => {
  const head = (headers: Record<string, string>) => ({
    method: "GET",
    url: "/",
    headers: { get: (name: string): string | null => headers[name] ?? null },
  });

  it("makes a known client wait for nothing where the store answers at once", async () => {
    const world = new World();
    const browser = await world.signedIn("ada");
    let isOpen = false;
    const visit = world.manager.visit(head({ cookie: `kyb_session_id=${browser.token}` }));
    void visit.then(() => {
      isOpen = true;
    });
    // One turn, for the promise that `visit` always is.
    await Promise.resolve();
    expect(isOpen).toBe(true);
    expect((await visit).session.userId).toBe("ada");
  });

  it("rejects with what the application's own functions throw, and never throws", async () => {
    const failing = (): boolean => {
      throw new Error("its own");
    };
    for (const config of [{ skip: failing }, { passive: failing }]) {
      const visit = new World(config).manager.visit(head({}));
      await expect(visit).rejects.toThrow("its own");
    }
  });
});
