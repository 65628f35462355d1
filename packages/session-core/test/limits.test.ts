import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { UserLimit } from "../src/new-session.ts";
import type { Browser } from "./support/browser.ts";
import { MINUTE } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { failureOf, World } from "./support/world.ts";

describe("maxSessionsPerUser", () => {
  it("is refused where the store has no index of users: it would limit nobody", () => {
    const store = new GatedStore(memoryStore(), { userIndex: false }).store;
    expect(() => new World({ store, maxSessionsPerUser: 3 })).toThrow(
      "maxSessionsPerUser must be left out: the store memory has no index of users, got 3.",
    );
    expect(new World({ store }).store).toBe(store);
  });

  const policies: [policy: UserLimit["policy"], gone: number][] = [
    ["evict-oldest", 0],
    ["evict-least-recent", 1],
  ];
  for (const [onUserLimit, gone] of policies) {
    it(`lets the right one go with '${onUserLimit}'`, async () => {
      const world = new World({ maxSessionsPerUser: 2, onUserLimit });
      const browsers: Browser[] = [];
      for (let index = 0; index < 2; index++) {
        browsers.push(await world.signedIn("alice"));
        world.clock.advance(MINUTE);
      }
      // The older one is the one that was used last.
      await browsers[0]?.request();
      world.clock.advance(MINUTE);
      const third = await world.signedIn("alice");
      expect((await third.request()).session.userId).toBe("alice");
      expect((await browsers[gone]?.request())?.session.userId).toBeUndefined();
      expect((await browsers[1 - gone]?.request())?.session.userId).toBe("alice");
      expect(world.events("ended").filter(({ userId }) => userId === "alice")).toMatchObject([
        { reason: "limit" },
      ]);
    });
  }

  it("refuses one more with 'reject', with an event, and the visitor stays who they were", async () => {
    const world = new World({ maxSessionsPerUser: 1, onUserLimit: "reject" });
    await world.signedIn("alice");
    const browser = world.browser();
    await browser.request((session) => session.set("cart", ["tea"]));
    const { setCookies } = await browser.request(async (session) => {
      expect(await failureOf(session.signIn("alice"))).toMatchObject({
        code: "USER_LIMIT",
        status: 409,
      });
      expect(session.userId).toBeUndefined();
    });
    expect(setCookies).toEqual([]);
    const { session } = await browser.request();
    expect(session.userId).toBeUndefined();
    expect(session.get("cart")).toEqual(["tea"]);
    expect(world.events("limit")).toMatchObject([{ limit: "user" }]);
    expect(await failureOf(world.manager.create({ userId: "alice" }))).toMatchObject({
      code: "USER_LIMIT",
    });
    expect(world.events("limit")[1]).toEqual({ limit: "user", userId: "alice" });
  });

  it("names the user in the event of a refused sign-in", async () => {
    const world = new World({ maxSessionsPerUser: 1, onUserLimit: "reject" });
    await world.signedIn("alice");
    const browser = world.browser();
    await browser.request();
    await browser.request(async (session) => void (await failureOf(session.signIn("alice"))));
    expect(world.events("limit")).toEqual([{ limit: "user", userId: "alice" }]);
  });

  it("lets the same session sign in again at the limit", async () => {
    const world = new World({ maxSessionsPerUser: 1, onUserLimit: "reject" });
    const browser = await world.signedIn("alice");
    const { session } = await browser.request((current) => current.signIn("alice"));
    expect(session.userId).toBe("alice");
  });

  for (const kind of ["at once", "later"] as const) {
    it(`holds for 100 sign-ins at once, with a store that answers ${kind} (R-25, F-07)`, async () => {
      const inner = memoryStore();
      const store = kind === "at once" ? inner : new GatedStore(inner).store;
      const world = new World({ maxSessionsPerUser: 5, store });
      const seen: number[] = [];
      world.manager.on("signed-in", async () => {
        seen.push((await world.manager.list({ userId: "alice" })).total ?? -1);
      });
      const browsers = Array.from({ length: 100 }, () => world.browser());
      await Promise.all(
        browsers.map((browser) => browser.request((session) => session.signIn("alice"))),
      );
      expect((await world.manager.list({ userId: "alice" })).total).toBe(5);
      expect(seen).toHaveLength(100);
      expect(Math.max(...seen)).toBe(5);
      expect(world.events("ended").filter(({ reason }) => reason === "limit")).toHaveLength(95);
      const answers = await Promise.all(browsers.map((browser) => browser.request()));
      expect(answers.filter(({ session }) => session.userId === "alice")).toHaveLength(5);
    });
  }
});

describe("a full store (R-80)", () => {
  /** Three signed-in sessions, which is all there may be. */
  async function full(config: ConstructorParameters<typeof World>[0] = {}): Promise<World> {
    const world = new World({ maxSessions: 3, ...config });
    for (const userId of ["alice", "bob", "carol"]) await world.signedIn(userId);
    return world;
  }

  it("serves a newcomer without a session; reading works, writing and signing in throw STORE_FULL", async () => {
    const world = await full();
    const browser = world.browser();
    const { session, setCookies } = await browser.request(async (current) => {
      expect(current.get("cart")).toBeUndefined();
      const refused = { code: "STORE_FULL", status: 503, headers: { "Retry-After": "1" } };
      expect(await failureOf(() => current.set("a", 1))).toMatchObject(refused);
      expect(await failureOf(() => current.increment("a"))).toMatchObject(refused);
      expect(await failureOf(() => current.delete("a"))).toMatchObject(refused);
      expect(await failureOf(current.update("a", () => 1))).toMatchObject(refused);
      expect(await failureOf(current.signIn("dave"))).toMatchObject(refused);
      current.track("looked");
      current.annotate({ a: 1 });
      await current.save();
      await current.signOut();
      await current.regenerate();
    });
    expect(session).toMatchObject({ id: "", state: "unsaved", isNew: false });
    expect(setCookies).toEqual([]);
    expect(world.events("limit")[0]).toEqual({ limit: "sessions", userId: undefined });
    expect(world.events("lost-write")).toEqual([]);
    expect((await world.manager.list()).total).toBe(3);
  });

  it("tells the one who commits, where create is 'write'", async () => {
    const world = await full({ create: "write" });
    const visit = await world.browser().open();
    expect(visit.session.state).toBe("ok");
    visit.session.set("a", 1);
    expect(await failureOf(visit.commit())).toMatchObject({ code: "STORE_FULL" });
    expect(world.events("lost-write")).toMatchObject([{ keys: ["a"], reason: "refused" }]);
    expect(visit.isDirty).toBe(false);
  });

  it("throws STORE_FULL from create and ensure", async () => {
    const world = await full();
    expect(await failureOf(world.manager.create())).toMatchObject({ code: "STORE_FULL" });
    const visit = await world.browser().open();
    expect(await failureOf(visit.ensure())).toMatchObject({ code: "STORE_FULL" });
  });

  it("never ends a signed-in session for anybody, also not for a sign-in", async () => {
    const world = await full();
    for (let index = 0; index < 10; index++) await world.browser().request();
    expect((await world.manager.list()).items.map(({ userId }) => userId).sort()).toEqual([
      "alice",
      "bob",
      "carol",
    ]);
  });

  it("makes room by ending the oldest provisional session first", async () => {
    const world = new World({ maxSessions: 3 });
    const returning = world.browser();
    await returning.request();
    await returning.request();
    const first = await world.browser().request();
    world.clock.advance(1);
    const second = await world.browser().request();
    await world.browser().request();
    const left = (await world.manager.list()).items.map(({ id }) => id);
    expect(left).not.toContain(first.session.id);
    expect(left).toContain(second.session.id);
    expect((await returning.request()).session.isNew).toBe(false);
    expect(world.events("ended")).toMatchObject([{ sessionId: first.session.id, reason: "limit" }]);
  });

  it("makes room by ending the least recent anonymous session next", async () => {
    const world = new World({ maxSessions: 2 });
    const browsers = [world.browser(), world.browser()];
    for (const browser of browsers) {
      await browser.request((session) => session.set("cart", []));
      world.clock.advance(MINUTE);
    }
    await browsers[0]?.request();
    await world.signedIn("alice");
    expect((await browsers[0]?.request())?.session.isNew).toBe(false);
    expect((await world.manager.list()).total).toBe(2);
  });

  it("lets a signed-in user switch to another user, where the limit is reached", async () => {
    const world = await full();
    const browser = world.browser();
    const { session } = await browser.request();
    expect(session.state).toBe("unsaved");
    await world.manager.revokeUser("alice");
    const { session: dave } = await browser.request((current) => current.signIn("dave"));
    expect(dave).toMatchObject({ userId: "dave", state: "ok" });
  });
});

describe("maxMetadataBytes", () => {
  it("refuses what would be more at once, and keeps the rest", async () => {
    const world = new World({ maxMetadataBytes: 100 });
    const browser = world.browser();
    await browser.request(async (session) => {
      session.set("a", "x".repeat(80));
      expect(await failureOf(() => session.set("b", "x".repeat(80)))).toMatchObject({
        code: "METADATA_TOO_LARGE",
        status: 413,
      });
      expect(session.metadata).toEqual({ a: "x".repeat(80) });
    });
    expect((await browser.request()).session.metadata).toEqual({ a: "x".repeat(80) });
    expect(world.events("limit")).toEqual([{ limit: "metadata", userId: undefined }]);
  });

  it("is held by the store as well, where parallel requests fill up together", async () => {
    const world = new World({ maxMetadataBytes: 100 });
    const browser = world.browser();
    await browser.request();
    const [one, two] = [await browser.open(), await browser.open()];
    one.session.set("a", "x".repeat(60));
    two.session.set("b", "x".repeat(60));
    await one.commit();
    expect(await failureOf(two.commit())).toMatchObject({ code: "METADATA_TOO_LARGE" });
    expect(world.events("lost-write")).toMatchObject([{ keys: ["b"], reason: "refused" }]);
    expect(two.isDirty).toBe(false);
    expect((await browser.request()).session.metadata).toEqual({ a: "x".repeat(60) });
  });

  it("lets a session that is too large shrink", async () => {
    const store = memoryStore();
    const generous = new World({ store });
    const browser = generous.browser();
    await browser.request((session) => {
      session.set("a", "x".repeat(200));
      session.set("b", 1);
    });
    const strict = new World({ store, maxMetadataBytes: 100 });
    const visit = await strict.manager.visit(
      { method: "GET", url: "/", headers: new Headers({ cookie: browser.cookieHeader ?? "" }) },
      { encrypted: true },
    );
    expect(() => visit.session.set("c", 1)).toThrow("maxMetadataBytes");
    visit.session.delete("b");
    await visit.commit();
    expect((await browser.request()).session.metadata).toEqual({ a: "x".repeat(200) });
  });
});
