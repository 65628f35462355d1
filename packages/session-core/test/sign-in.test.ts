import { describe, expect, it } from "vitest";
import type { SignInOptions } from "../src/session.ts";
import type { Bag, Browser } from "./support/browser.ts";
import { DAY, HOUR, MINUTE, SECOND, START } from "./support/clock.ts";
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

describe("signing in", () => {
  it("changes the secret and keeps the id (R-21)", async () => {
    const world = new World();
    const browser = await shopper(world);
    const before = browser.token;
    const { session, setCookies } = await browser.request((current) => current.signIn("alice"));
    expect(setCookies).toHaveLength(1);
    expect(browser.token).not.toBe(before);
    expect(browser.token?.split(".")[0]).toBe(before?.split(".")[0]);
    expect(session).toMatchObject({ id: before?.split(".")[0], userId: "alice", isNew: false });
    expect(world.events("signed-in")).toEqual([
      { sessionId: session.id, userId: "alice", at: START },
    ]);
  });

  it("starts both timeouts again (R-22)", async () => {
    const world = new World({ sessionTimeout: "1h", absoluteTimeout: "2h" });
    const browser = await shopper(world);
    world.clock.advance(50 * MINUTE);
    const { session } = await browser.request((current) => current.signIn("alice"));
    expect(session.expiresAt).toBe(START + 50 * MINUTE + HOUR);
    for (let visit = 0; visit < 2; visit++) {
      world.clock.advance(55 * MINUTE);
      expect((await browser.request()).session.userId).toBe("alice");
    }
    world.clock.advance(10 * MINUTE);
    expect((await browser.request()).session.isNew).toBe(true);
  });

  const kept: [title: string, options: SignInOptions<Bag> | undefined, metadata: Bag][] = [
    ["keeps nothing of the anonymous session by default", undefined, {}],
    ["keeps what is named", { keep: ["cart"] }, { cart: ["tea"] }],
    ["keeps what is named and exists", { keep: ["cart", "missing"] }, { cart: ["tea"] }],
    ["keeps all", { keep: true }, { cart: ["tea"], theme: "dark" }],
    ["adds what comes with it", { metadata: { role: "admin" } }, { role: "admin" }],
    [
      "puts what comes with it on top",
      { keep: ["theme"], metadata: { theme: "light" } },
      { theme: "light" },
    ],
  ];
  for (const [title, options, metadata] of kept) {
    it(`${title} (R-21)`, async () => {
      const world = new World();
      const browser = await shopper(world);
      const { session } = await browser.request((current) => current.signIn("alice", options));
      expect(session.metadata).toEqual(metadata);
      expect((await browser.request()).session.metadata).toEqual(metadata);
    });

    it(`${title}, also of changes that were not stored yet`, async () => {
      const browser = new World().browser();
      const { session } = await browser.request(async (current) => {
        current.set("cart", ["tea"]);
        current.set("theme", "dark");
        await current.signIn("alice", options);
      });
      expect(session.metadata).toEqual(metadata);
      expect((await browser.request()).session.metadata).toEqual(metadata);
    });
  }

  it("counts kept increments once, stored or not", async () => {
    const world = new World();
    const browser = world.browser();
    await browser.request((session) => session.increment("views", 2));
    await browser.request(async (session) => {
      session.increment("views", 3);
      await session.signIn("alice", { keep: ["views"] });
      session.increment("views", 4);
    });
    expect((await browser.request()).session.get("views")).toBe(9);
  });

  it("keeps changes that are made after it", async () => {
    const browser = new World().browser();
    await browser.request(async (session) => {
      session.set("before", 1);
      await session.signIn("alice");
      session.set("after", 2);
    });
    expect((await browser.request()).session.metadata).toEqual({ after: 2 });
  });

  it("keeps all data where the same user signs in again, with a new secret", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.set("cart", ["tea"]));
    const before = browser.token;
    const { session } = await browser.request((current) => current.signIn("alice"));
    expect(session.metadata).toEqual({ cart: ["tea"] });
    expect(browser.token).not.toBe(before);
    expect(browser.token?.split(".")[0]).toBe(session.id);
  });

  it("drops data where the same user signs in again and says so", async () => {
    const browser = await new World().signedIn("alice");
    await browser.request((session) => session.set("cart", ["tea"]));
    const { session } = await browser.request((current) => current.signIn("alice", { keep: [] }));
    expect(session.metadata).toEqual({});
  });

  it("gives another user a fresh session and ends the one before", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session: before } = await browser.request((session) => session.set("cart", ["tea"]));
    const { session, setCookies } = await browser.request((current) => current.signIn("bob"));
    expect(session.id).not.toBe(before.id);
    expect(session).toMatchObject({ userId: "bob", isNew: true });
    expect(session.metadata).toEqual({});
    expect(setCookies).toHaveLength(1);
    expect(await world.manager.get(before.id)).toMatchObject({
      isActive: false,
      endReason: "signed-out",
    });
    expect((await browser.request()).session.userId).toBe("bob");
  });

  it("makes a session where there is none", async () => {
    const world = new World({ create: "write" });
    const browser = world.browser();
    const { session, setCookies } = await browser.request((current) => current.signIn("alice"));
    expect(session).toMatchObject({ userId: "alice", isNew: true });
    expect(setCookies).toHaveLength(1);
    expect((await world.manager.list()).total).toBe(1);
  });

  it("makes a fresh session after a sign-out in the same request", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session: before } = await browser.request((session) => session.set("cart", ["tea"]));
    const { session, setCookies } = await browser.request(async (current) => {
      await current.signOut();
      await current.signIn("alice", { keep: true });
    });
    expect(session.id).not.toBe(before.id);
    expect(session.metadata).toEqual({});
    expect(setCookies).toHaveLength(1);
    expect((await browser.request()).session.userId).toBe("alice");
  });

  it("makes a fresh session where the anonymous one fell due meanwhile", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const browser = await shopper(world);
    const visit = await browser.open();
    world.clock.advance(HOUR);
    await visit.session.signIn("alice", { keep: ["cart"] });
    const { session } = await browser.answer(visit);
    expect(session).toMatchObject({ userId: "alice", isNew: true });
    expect(session.metadata).toEqual({ cart: ["tea"] });
    expect((await browser.request()).session.userId).toBe("alice");
  });

  it("twice at once is twice one after the other", async () => {
    const world = new World();
    const browser = await shopper(world);
    const { session, setCookies } = await browser.request((current) =>
      Promise.all([current.signIn("alice", { keep: true }), current.signIn("alice")]),
    );
    expect(setCookies).toHaveLength(1);
    expect(session.metadata).toEqual({ cart: ["tea"], theme: "dark" });
    expect((await browser.request()).session.userId).toBe("alice");
  });

  it("of two users at once leaves the later one alone", async () => {
    const world = new World();
    const browser = await shopper(world);
    const { session, setCookies } = await browser.request((current) =>
      Promise.all([current.signIn("alice"), current.signIn("bob")]),
    );
    expect(setCookies).toHaveLength(1);
    expect(session.userId).toBe("bob");
    expect((await browser.request()).session.userId).toBe("bob");
    expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
  });

  it("that is not awaited is stored and its cookie set before the response leaves", async () => {
    const browser = new World().browser();
    let signIn: Promise<void> | undefined;
    const { setCookies } = await browser.request((session) => {
      signIn = session.signIn("alice");
    });
    await signIn;
    expect(setCookies).toHaveLength(1);
    expect((await browser.request()).session.userId).toBe("alice");
  });

  const wrong: [title: string, userId: unknown, options?: unknown][] = [
    ["no user", undefined],
    ["an empty user", ""],
    ["a number", 5],
    ["a user that is too long", "x".repeat(257)],
    ["a callback", "alice", () => undefined],
    ["options that are null", "alice", null],
    ["an option that there is not", "alice", { remember: true }],
    ["keep as one name", "alice", { keep: "cart" }],
    ["keep false", "alice", { keep: false }],
    ["keep of something else than names", "alice", { keep: ["cart", 5] }],
    ["metadata that is a text", "alice", { metadata: "role" }],
    ["metadata that is a list", "alice", { metadata: ["role"] }],
    ["metadata that is no data", "alice", { metadata: { at: new Date(0) } }],
    ["metadata with an empty key", "alice", { metadata: { "": 1 } }],
  ];
  for (const [title, userId, options] of wrong) {
    it(`refuses ${title}, and the session stays as it was`, async () => {
      const world = new World();
      const browser = await shopper(world);
      const before = browser.token;
      const { setCookies } = await browser.request(async (session) => {
        const error = await failureOf(
          session.signIn(userId as string, ...(options === undefined ? [] : [options as object])),
        );
        expect(error).toMatchObject({ name: "SessionError" });
        expect((error as { code: string }).code).toMatch(/^INVALID_/);
      });
      expect(setCookies).toEqual([]);
      expect(browser.token).toBe(before);
      const { session } = await browser.request();
      expect(session.userId).toBeUndefined();
      expect(session.metadata).toEqual({ cart: ["tea"], theme: "dark" });
    });
  }

  it("refuses a callback with the form that works in the text", async () => {
    const visit = await new World().browser().open();
    const callback = (() => undefined) as unknown as object;
    expect(await failureOf(visit.session.signIn("alice", callback))).toMatchObject({
      message: expect.stringContaining("await session.signIn(userId)"),
    });
  });

  it("refuses more data than a session may hold, and the session stays as it was", async () => {
    const world = new World({ maxMetadataBytes: 50 });
    const browser = world.browser();
    await browser.request((session) => session.set("a", "x".repeat(20)));
    const visit = await browser.open();
    const metadata = { b: "x".repeat(30) };
    expect(await failureOf(visit.session.signIn("alice", { keep: true, metadata }))).toMatchObject({
      code: "METADATA_TOO_LARGE",
      status: 413,
    });
    await browser.answer(visit);
    const { session } = await browser.request();
    expect(session.userId).toBeUndefined();
    expect(session.get("a")).toBe("x".repeat(20));
  });

  it("is visible at once to the one who looks at the user's sessions", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { items, total } = await world.manager.list({ userId: "alice" });
    expect(total).toBe(1);
    expect(items[0]?.id).toBe(browser.token?.split(".")[0]);
  });
});

describe("a secret that a sign-in retired", () => {
  it("is served without a session for 60 seconds: nothing is created, no cookie set (F-04)", async () => {
    const world = new World();
    const browser = await shopper(world);
    const old = browser.copy();
    await browser.request((session) => session.signIn("alice"));
    for (const wait of [0, 30 * SECOND, 30 * SECOND - 1]) {
      world.clock.advance(wait);
      const { session, setCookies } = await old.request();
      expect(session).toMatchObject({ id: "", userId: undefined, state: "unsaved" });
      expect(setCookies).toEqual([]);
    }
    expect(world.events("withheld").map(({ reason }) => reason)).toEqual([
      "retired",
      "retired",
      "retired",
    ]);
    expect((await world.manager.list()).total).toBe(1);
  });

  it("is a stranger's after 60 seconds, and does the session no harm", async () => {
    const world = new World();
    const browser = await shopper(world);
    const old = browser.copy();
    await browser.request((session) => session.signIn("alice"));
    world.clock.advance(MINUTE);
    const { session } = await old.request();
    expect(session).toMatchObject({ isNew: true, userId: undefined });
    expect(world.events("unknown-token")).toHaveLength(1);
    expect((await browser.request()).session.userId).toBe("alice");
  });

  it("signs in with a session of its own meanwhile", async () => {
    const world = new World();
    const browser = await shopper(world);
    const old = browser.copy();
    const { session: first } = await browser.request((session) => session.signIn("alice"));
    const { session, setCookies } = await old.request((current) => current.signIn("alice"));
    expect(session.id).not.toBe(first.id);
    expect(setCookies).toHaveLength(1);
    expect((await world.manager.list({ userId: "alice" })).total).toBe(2);
  });
});

describe("a session's limits of time", () => {
  it("end a signed-in session at the absolute end, though it is used all the time (R-22)", async () => {
    const world = new World({ sessionTimeout: "1d", absoluteTimeout: "3d" });
    const browser = await world.signedIn("alice");
    for (let hour = 1; hour < 72; hour++) {
      world.clock.advance(HOUR);
      expect((await browser.request()).session.userId).toBe("alice");
    }
    world.clock.advance(HOUR);
    expect((await browser.request()).session.userId).toBeUndefined();
    expect(world.clock.now()).toBe(START + 3 * DAY);
  });
});
