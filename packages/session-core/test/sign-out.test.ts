import { describe, expect, it } from "vitest";
import type { Browser } from "./support/browser.ts";
import { HOUR, MINUTE, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";

/** A browser whose anonymous session holds a cart and a theme. */
async function shopper(world: World): Promise<Browser> {
  const browser = world.browser();
  await browser.request((session) => {
    session.set("cart", ["tea"]);
    session.set("theme", "dark");
  });
  return browser;
}

describe("signing out", () => {
  it("ends the session and clears the cookie with the attributes it was set with (R-19)", async () => {
    const world = new World();
    const browser = world.browser();
    const { setCookies: set } = await browser.request((session) => session.signIn("alice"));
    const { setCookies: cleared, session } = await browser.request((current) => current.signOut());
    expect(browser.cookies.size).toBe(0);
    const attributes = (value: string | undefined): string[] =>
      (value ?? "")
        .split("; ")
        .slice(1)
        .filter((part) => !/^(?:max-age|expires)=/i.test(part))
        .sort();
    expect(cleared).toHaveLength(1);
    expect(attributes(cleared[0])).toEqual(attributes(set[0]));
    expect(cleared[0]).toContain("__Host-kyb_session_id=;");
    expect(session).toMatchObject({ isActive: false, endedAt: START, endReason: "signed-out" });
    expect(await world.manager.get(session.id)).toMatchObject({
      isActive: false,
      endedAt: START,
      endReason: "signed-out",
    });
    expect(world.events("ended")).toMatchObject([
      { sessionId: session.id, userId: "alice", reason: "signed-out" },
    ]);
  });

  it("starts no new session in the same response", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session, setCookies } = await browser.request(async (current) => {
      await current.signOut();
      expect(() => current.set("a", 1)).toThrow("ended");
      await expect(current.update("a", () => 1)).rejects.toThrow("ended");
    });
    expect(setCookies).toHaveLength(1);
    expect(session.isActive).toBe(false);
    expect((await world.manager.list()).total).toBe(0);
  });

  it("forgets changes that were not stored", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session } = await browser.request(async (current) => {
      current.set("cart", ["tea"]);
      await current.signOut();
    });
    expect((await world.manager.get(session.id))?.metadata).toEqual({});
    expect(world.events("lost-write")).toEqual([]);
  });

  it("is idempotent", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { setCookies } = await browser.request(async (session) => {
      await Promise.all([session.signOut(), session.signOut()]);
      await session.signOut();
    });
    expect(setCookies).toHaveLength(1);
    expect(world.events("ended")).toHaveLength(1);
  });

  it("does nothing where there is no session", async () => {
    const world = new World({ create: "write" });
    const { setCookies } = await world.browser().request((session) => session.signOut());
    expect(setCookies).toEqual([]);
  });

  it("refuses a callback with the form that works in the text", async () => {
    const browser = await new World().signedIn("alice");
    const visit = await browser.open();
    const { session } = visit;
    for (const method of ["signOut", "regenerate", "save"] as const) {
      const call = session[method].bind(session) as (callback: () => void) => Promise<void>;
      expect(await failureOf(call(() => undefined))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`await session.${method}()`),
      });
    }
    expect((await browser.request()).session.userId).toBe("alice");
  });
});

describe("the cookie of a session that has signed out", () => {
  it("gets no session and no cookie for 60 seconds; later it is a newcomer's", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const late = browser.copy();
    await browser.request((session) => session.signOut());
    world.clock.advance(MINUTE - 1);
    const { session, setCookies } = await late.request();
    expect(session).toMatchObject({ id: "", state: "unsaved", userId: undefined });
    expect(setCookies).toEqual([]);
    world.clock.advance(1);
    const { session: next } = await late.request();
    expect(next).toMatchObject({ isNew: true, userId: undefined });
  });

  it("is known also where the secret was retired before", async () => {
    const world = new World();
    const browser = await shopper(world);
    const old = browser.copy();
    await browser.request((session) => session.signIn("alice"));
    await browser.request((session) => session.signOut());
    expect((await old.request()).session.state).toBe("unsaved");
  });

  it("is known also where it is a successor that was offered and never presented", async () => {
    const world = new World({ regenerateEvery: "1h" });
    const browser = await world.signedIn("alice");
    world.clock.advance(HOUR);
    const other = browser.copy();
    // Two requests at once: one is offered the successor, the other signs out.
    await browser.request();
    await other.request((session) => session.signOut());
    const { session, setCookies } = await browser.request();
    expect(session.state).toBe("unsaved");
    expect(setCookies).toEqual([]);
  });

  it("does not work with another secret", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const id = browser.token?.split(".")[0];
    await browser.request((session) => session.signOut());
    const { session } = await world
      .browser()
      .request(undefined, { cookie: `__Host-kyb_session_id=${id}.${"s".repeat(43)}` });
    expect(session.isNew).toBe(true);
  });
});

describe("a handle after the end (R-37)", () => {
  it("throws on every write", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    const { session } = visit;
    await session.signOut();
    for (const write of [
      () => session.set("a", 1),
      () => session.delete("a"),
      () => session.increment("a"),
      () => session.update("a", () => 1),
      () => session.regenerate(),
    ]) {
      expect(await failureOf(async () => write())).toMatchObject({
        code: "SESSION_ENDED",
        status: 409,
      });
    }
  });

  it("throws what the store said first, where another request ended the session", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    await world.manager.revokeUser("alice");
    visit.session.set("a", 1);
    expect(await failureOf(visit.session.save())).toMatchObject({ code: "SESSION_ENDED" });
    expect(() => visit.session.set("b", 1)).toThrow("ended");
    const { setCookies } = await browser.answer(visit);
    expect(setCookies).toEqual([]);
  });
});
