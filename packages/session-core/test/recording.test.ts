import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";

/** The id in a browser's cookie. */
function idOf(browser: { token: string | undefined }): string {
  return browser.token?.split(".")[0] ?? "";
}

describe("a custom action", () => {
  it("is a line of its own, before the request's", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open({ method: "POST", path: "/checkout?x=1" });
    world.clock.advance(10);
    visit.session.track("paid", { amount: 12, currency: "EUR" });
    visit.finish({ status: 200, responseSize: 0 });
    const { items } = await world.manager.activity(idOf(browser));
    expect(items.map(({ action }) => action)).toEqual(["request", "paid", "request"]);
    expect(items[1]).toEqual({
      timestamp: START + 10,
      action: "paid",
      endpoint: "/checkout",
      method: "POST",
      statusCode: 0,
      duration: 10,
      requestSize: 0,
      responseSize: 0,
      metadata: { amount: 12, currency: "EUR" },
    });
  });

  it("does not count as a request", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.track("x"));
    expect((await world.manager.get(idOf(browser)))?.requestCount).toBe(2);
    expect((await world.manager.metrics()).totalRequests).toBe(2);
  });

  it("has a name that is cut at 128 characters", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.track("a".repeat(500)));
    const { items } = await world.manager.activity(idOf(browser));
    expect(items[1]?.action).toBe("a".repeat(128));
  });

  it("needs a name", async () => {
    const visit = await (await new World().signedIn("alice")).open();
    for (const action of ["", undefined, 5, {}]) {
      expect(() => visit.session.track(action as string)).toThrow("name of an action");
    }
  });

  for (const method of ["track", "annotate"] as const) {
    it(`(${method}) takes plain data only, 4096 bytes of it at most`, async () => {
      const visit = await (await new World().signedIn("alice")).open();
      const write = (metadata: unknown): void =>
        method === "track"
          ? visit.session.track("a", metadata as object)
          : visit.session.annotate(metadata as object);
      expect(await failureOf(() => write({ at: new Date(0) }))).toMatchObject({
        code: "INVALID_VALUE",
      });
      expect(await failureOf(() => write({ text: "x".repeat(4090) }))).toMatchObject({
        code: "METADATA_TOO_LARGE",
      });
      expect(() => write({ text: "x".repeat(4085) })).not.toThrow();
      for (const wrong of [[1], "text", 5, null]) {
        expect(await failureOf(() => write(wrong))).toMatchObject({ code: "INVALID_VALUE" });
      }
    });
  }

  it("goes nowhere without a session", async () => {
    const world = new World({ create: "write" });
    await world.browser().request((session) => session.track("looked"));
    expect((await world.manager.list()).total).toBe(0);
  });
});

describe("an annotation", () => {
  it("goes onto the request's own line; later ones add to it", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => {
      session.annotate({ order: 1, note: "first" });
      session.annotate({ note: "second", list: [1] });
    });
    const { items } = await world.manager.activity(idOf(browser));
    expect(items[0]?.metadata).toEqual({ order: 1, note: "second", list: [1] });
  });
});

describe("redact", () => {
  it("changes an entry before it is kept, or drops it", async () => {
    const world = new World({
      activity: {
        redact: (entry) =>
          entry.endpoint === "/secret"
            ? undefined
            : { ...entry, endpoint: entry.endpoint.replace(/\d+/, ":id") },
      },
    });
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.track("seen"), { path: "/users/17" });
    await browser.request((session) => session.track("seen"), { path: "/secret" });
    const { items } = await world.manager.activity(idOf(browser));
    expect(items.map(({ endpoint }) => endpoint)).toEqual(["/users/:id", "/users/:id", "/"]);
    // What is not shown is still counted.
    expect((await world.manager.get(idOf(browser)))?.requestCount).toBe(3);
  });

  it("changes what is recorded from outside as well", async () => {
    const world = new World({ activity: { redact: (entry) => ({ ...entry, endpoint: "/x" }) } });
    const browser = await world.signedIn("alice");
    await world.manager.recordActivity(idOf(browser), { action: "mailed", endpoint: "/secret" });
    expect((await world.manager.activity(idOf(browser))).items[0]).toMatchObject({
      action: "mailed",
      endpoint: "/x",
    });
  });

  it("drops the entry where it throws: what could not be made harmless is not kept", async () => {
    const reported: unknown[] = [];
    const original = console.error;
    console.error = (...args: unknown[]) => void reported.push(args);
    try {
      const world = new World({
        activity: {
          redact: () => {
            throw new Error("cannot redact");
          },
        },
      });
      const browser = await world.signedIn("alice");
      await browser.request((session) => session.track("x"));
      expect((await world.manager.activity(idOf(browser))).total).toBe(0);
      expect((await world.manager.get(idOf(browser)))?.requestCount).toBe(2);
    } finally {
      console.error = original;
    }
    expect(reported).toHaveLength(3);
  });
});

describe("trackUserActivity: false", () => {
  it("keeps no entries, and counts go on", async () => {
    const world = new World({ trackUserActivity: false });
    const browser = await world.signedIn("alice");
    await browser.request((session) => {
      session.track("x");
      session.annotate({ a: 1 });
    });
    expect(await world.manager.recordActivity(idOf(browser), { action: "x" })).toBe(true);
    expect((await world.manager.activity(idOf(browser))).total).toBe(0);
    expect((await world.manager.get(idOf(browser)))?.requestCount).toBe(2);
    expect((await world.manager.metrics()).totalRequests).toBe(2);
  });
});

describe("recording from outside a request", () => {
  it("adds a complete line, and is no access", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    world.clock.advance(MINUTE);
    const recorded = await world.manager.recordActivity(idOf(browser), {
      action: "mailed",
      endpoint: "/jobs/mail?to=alice",
      metadata: { template: "welcome" },
    });
    expect(recorded).toBe(true);
    expect((await world.manager.activity(idOf(browser))).items[0]).toEqual({
      timestamp: START + MINUTE,
      action: "mailed",
      endpoint: "/jobs/mail",
      method: "",
      statusCode: 0,
      duration: 0,
      requestSize: 0,
      responseSize: 0,
      metadata: { template: "welcome" },
    });
    expect(await world.manager.get(idOf(browser))).toMatchObject({
      lastAccessTime: START,
      lastActivityTime: START,
      requestCount: 1,
    });
  });

  it("answers false for a session that is not there, has ended or is due", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const [ended, due] = [await world.signedIn("alice"), await world.signedIn("bob")];
    await world.manager.revokeUser("alice");
    expect(await world.manager.recordActivity("x".repeat(32), { action: "a" })).toBe(false);
    expect(await world.manager.recordActivity(idOf(ended), { action: "a" })).toBe(false);
    world.clock.advance(HOUR);
    expect(await world.manager.recordActivity(idOf(due), { action: "a" })).toBe(false);
  });

  it("refuses what is no data", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const metadata = { at: new Date(0) } as never;
    expect(
      await failureOf(world.manager.recordActivity(idOf(browser), { metadata })),
    ).toMatchObject({
      code: "INVALID_VALUE",
    });
  });
});
