import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { HOUR, MINUTE, START } from "./support/clock.ts";
import { CountingStore } from "./support/counting-store.ts";
import { World } from "./support/world.ts";

/** The id in a browser's cookie. */
function idOf(browser: { token: string | undefined }): string {
  return browser.token?.split(".")[0] ?? "";
}

describe("a finished request", () => {
  it("stands in the timeline with what it was and how it ended", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open({
      method: "POST",
      path: "/cart?coupon=secret#top",
      headers: { "content-length": "17" },
    });
    world.clock.advance(42);
    visit.finish({ status: 201, responseSize: 1234 });
    const { items } = await world.manager.activity(idOf(browser));
    expect(items[0]).toEqual({
      timestamp: START,
      action: "request",
      endpoint: "/cart",
      method: "POST",
      statusCode: 201,
      duration: 42,
      requestSize: 17,
      responseSize: 1234,
    });
  });

  it("takes the host's word for the endpoint and the size of the request", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open({ path: "/users/5", headers: { "content-length": "17" } });
    visit.finish({ status: 200, responseSize: 0, endpoint: "/users/:id", requestSize: 99 });
    const { items } = await world.manager.activity(idOf(browser));
    expect(items[0]).toMatchObject({ endpoint: "/users/:id", requestSize: 99 });
  });

  for (const announced of ["", "x", "-1", "1e999", "12345678901234567890"]) {
    it(`has no request size where the announced one is ${JSON.stringify(announced)}`, async () => {
      const world = new World();
      const browser = await world.signedIn("alice");
      await browser.request(undefined, { headers: { "content-length": announced } });
      expect((await world.manager.activity(idOf(browser))).items[0]?.requestSize).toBe(0);
    });
  }

  it("counts once, however often it is finished", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    for (let time = 0; time < 3; time++) visit.finish({ status: 200, responseSize: 0 });
    expect((await world.manager.activity(idOf(browser))).total).toBe(2);
    expect((await world.manager.get(idOf(browser)))?.requestCount).toBe(2);
  });

  it("counts for the session that it made", async () => {
    const world = new World();
    const { session } = await world.browser().request();
    expect(await world.manager.get(session.id)).toMatchObject({ requestCount: 1 });
    expect((await world.manager.activity(session.id)).total).toBe(1);
  });

  it("counts in the metrics where its session ended meanwhile, also by a sign-out of its own", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const before = (await world.manager.metrics()).totalRequests;
    await browser.request((session) => session.signOut());
    expect((await world.manager.metrics()).totalRequests).toBe(before + 1);
  });

  it("counts for the fresh session after a switch of users", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session } = await browser.request((current) => current.signIn("bob"));
    expect((await world.manager.activity(session.id)).total).toBe(1);
  });

  it("counts nowhere without a session", async () => {
    const world = new World({ create: "write" });
    await world.browser().request();
    expect((await world.manager.metrics()).totalRequests).toBe(0);
  });

  it("moves the last access and the last activity to when it arrived", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    world.clock.advance(MINUTE);
    const visit = await browser.open();
    world.clock.advance(MINUTE);
    visit.finish({ status: 200, responseSize: 0 });
    expect(await world.manager.get(idOf(browser))).toMatchObject({
      lastAccessTime: START + MINUTE,
      lastActivityTime: START + MINUTE,
    });
  });

  it("never throws, whatever the store does", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    await world.store.close();
    expect(() => visit.finish({ status: 200, responseSize: 0 })).not.toThrow();
    expect(world.events("tracking-dropped")).toEqual([{ count: 1, reason: "failed" }]);
  });
});

describe("a long request", () => {
  it("keeps its session alive from when it arrived, not only when it ends", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    await browser.request();
    world.clock.advance(50 * MINUTE);
    const visit = await browser.open();
    world.clock.advance(30 * MINUTE);
    visit.session.set("uploaded", true);
    const { session } = await browser.answer(visit);
    expect(session.isActive).toBe(true);
    expect((await browser.request()).session.get("uploaded")).toBe(true);
  });

  it("is written through where little time is left, before the handler runs", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ store: counting.store, sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    await browser.request();
    world.clock.advance(HOUR - 4999);
    counting.take();
    const { session } = await browser.open();
    expect(counting.take()).toEqual(["find", "track"]);
    expect((await world.manager.get(session.id))?.expiresAt).toBe(world.clock.now() + HOUR);
  });
});

describe("a passive request", () => {
  const passive = { headers: { "x-session-passive": "1" } };

  it("is counted and shown, and does not keep the session alive", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    await browser.request();
    for (let poll = 0; poll < 5; poll++) {
      world.clock.advance(10 * MINUTE);
      expect((await browser.request(undefined, passive)).session.userId).toBe("alice");
    }
    expect(await world.manager.get(idOf(browser))).toMatchObject({
      lastAccessTime: START + 50 * MINUTE,
      lastActivityTime: START,
      requestCount: 7,
    });
    world.clock.advance(10 * MINUTE);
    expect((await browser.request(undefined, passive)).session.userId).toBeUndefined();
  });

  it("is what the application says it is", async () => {
    const world = new World({ sessionTimeout: "1h", passive: ({ url }) => url === "/poll" });
    const browser = await world.signedIn("alice");
    world.clock.advance(MINUTE);
    await browser.request(undefined, { path: "/poll" });
    expect((await world.manager.get(idOf(browser)))?.lastActivityTime).toBe(START);
    await browser.request(undefined, passive);
    expect((await world.manager.get(idOf(browser)))?.lastActivityTime).toBe(START + MINUTE);
  });

  it("is passive only where the answer is true: a promise means nothing", async () => {
    const passive = (async () => true) as unknown as () => boolean;
    const world = new World({ sessionTimeout: "1h", passive });
    const browser = await world.signedIn("alice");
    world.clock.advance(MINUTE);
    await browser.request();
    expect((await world.manager.get(idOf(browser)))?.lastActivityTime).toBe(START + MINUTE);
  });

  it("confirms a provisional session like any other", async () => {
    const world = new World();
    const browser = world.browser();
    await browser.request();
    await browser.request(undefined, passive);
    world.clock.advance(10 * MINUTE);
    expect((await world.manager.get(idOf(browser)))?.isActive).toBe(true);
  });
});

describe("a text from the request", () => {
  it("is kept cut, and without what could deceive a reader (R-41)", async () => {
    const world = new World();
    const browser = world.browser({ headers: { "user-agent": `Evil/1.0 ${"x".repeat(1000)}` } });
    const { session } = await browser.request(undefined, { path: `/${"p".repeat(5000)}` });
    expect(session.userAgent).toHaveLength(512);
    const { items } = await world.manager.activity(session.id);
    expect(items[0]?.endpoint).toHaveLength(2048);
  });
});
