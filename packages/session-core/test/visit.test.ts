import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { HOUR, START } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { settle } from "./support/manual-timers.ts";
import { failureOf, World } from "./support/world.ts";

const FINE = { status: 200, responseSize: 0 };

function gatedWorld(config: ConstructorParameters<typeof World>[0] = {}): {
  world: World;
  gates: GatedStore;
} {
  const gates = new GatedStore(memoryStore());
  return { world: new World({ store: gates.store, storeTimeout: "1m", ...config }), gates };
}

describe("the headers leave before a sign-in is through", () => {
  for (const place of ["before", "after"] as const) {
    it(`(the store is held up ${place} its work): it throws HEADERS_SENT, and nobody is left signed in`, async () => {
      const { world, gates } = gatedWorld();
      const browser = world.browser();
      await browser.request();
      const visit = await browser.open();
      const call = gates.hold("commit", place);
      const signIn = failureOf(visit.session.signIn("alice"));
      await call.arrived;
      const headers = new Headers();
      visit.seal(headers);
      call.release();
      expect(await signIn).toMatchObject({ code: "HEADERS_SENT" });
      visit.finish(FINE);
      expect(headers.getSetCookie()).toEqual([]);
      expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
      expect(() => visit.session.set("a", 1)).toThrow();
    });
  }

  it("of a visitor without a session: the new session does not stay either", async () => {
    const { world, gates } = gatedWorld({ create: "write" });
    const visit = await world.browser().open();
    const call = gates.hold("create");
    const signIn = failureOf(visit.session.signIn("alice"));
    await call.arrived;
    visit.seal(new Headers());
    call.release();
    expect(await signIn).toMatchObject({ code: "HEADERS_SENT" });
    expect((await world.manager.list()).total).toBe(0);
  });

  it("and the visit is finished as well: nobody is left signed in, whose secret nobody has", async () => {
    const { world, gates } = gatedWorld();
    const browser = world.browser();
    await browser.request();
    const visit = await browser.open();
    const call = gates.hold("commit");
    const signIn = failureOf(visit.session.signIn("alice"));
    await call.arrived;
    // The client has left: no headers ever leave.
    visit.finish({ status: 499, responseSize: 0 });
    call.release();
    expect(await signIn).toMatchObject({ name: "SessionError" });
    expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
  });
});

describe("the visit is finished while its changes are being stored", () => {
  it("loses nothing and reports nothing as lost", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("a", 1);
    const call = gates.hold("commit");
    const commit = visit.commit();
    await call.arrived;
    visit.session.set("b", 2);
    visit.finish({ status: 499, responseSize: 0 });
    call.release();
    await commit;
    await settle();
    expect(world.events("lost-write")).toEqual([]);
    expect((await browser.request()).session.metadata).toEqual({ a: 1, b: 2 });
  });

  it("reports what was lost, once, where the session has ended", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("a", 1);
    const call = gates.hold("commit");
    const commit = visit.commit();
    await call.arrived;
    visit.finish({ status: 499, responseSize: 0 });
    await world.manager.revokeUser("alice");
    call.release();
    await commit;
    await settle();
    expect(world.events("lost-write")).toMatchObject([{ keys: ["a"], reason: "ended" }]);
  });
});

describe("a visit that is finished before it was committed", () => {
  it("loses its changes and says so, once; a commit afterwards does nothing", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("a", 1);
    visit.finish(FINE);
    await visit.commit();
    visit.finish(FINE);
    await settle();
    expect(world.events("lost-write")).toMatchObject([{ keys: ["a"] }]);
    expect((await browser.request()).session.metadata).toEqual({});
  });
});

describe("a sign-out while a write is under way", () => {
  it("waits for it, ends the session and clears the cookie", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("a", 1);
    const call = gates.hold("commit");
    const saving = visit.session.save();
    await call.arrived;
    const out = visit.session.signOut();
    call.release();
    await Promise.all([saving, out]);
    const { setCookies, session } = await browser.answer(visit);
    expect(setCookies).toHaveLength(1);
    expect(browser.cookies.size).toBe(0);
    expect(session.endReason).toBe("signed-out");
    expect(world.events("lost-write")).toEqual([]);
  });

  it("that fails goes on all the same", async () => {
    const { world, gates } = gatedWorld({ maxMetadataBytes: 60 });
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    await browser.request((session) => session.set("b", "x".repeat(40)));
    visit.session.set("a", "x".repeat(40));
    const call = gates.hold("commit");
    const saving = failureOf(visit.session.save());
    await call.arrived;
    const out = visit.session.signOut();
    call.release();
    expect(await saving).toMatchObject({ code: "METADATA_TOO_LARGE" });
    await out;
    expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
  });
});

describe("several changes of identity at once", () => {
  it("take turns: the last one wins, and one cookie goes out", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    await browser.request();
    const { setCookies } = await browser.request((session) =>
      Promise.all([
        session.signIn("alice"),
        session.regenerate(),
        session.signOut(),
        session.signIn("bob"),
        session.regenerate(),
      ]),
    );
    expect(setCookies).toHaveLength(1);
    expect((await browser.request()).session.userId).toBe("bob");
    expect((await world.manager.list()).items.map(({ userId }) => userId)).toEqual(["bob"]);
  });

  it("end in nobody where the sign-out comes last", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    await browser.request();
    await browser.request((session) => Promise.all([session.signIn("alice"), session.signOut()]));
    expect(browser.cookies.size).toBe(0);
    expect((await world.manager.list()).total).toBe(0);
  });

  it("that nobody awaits are waited for by commit", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    await browser.request();
    const promises: Promise<void>[] = [];
    const { setCookies } = await browser.request((session) => {
      promises.push(session.signIn("alice"));
      session.set("after", 1);
      promises.push(session.regenerate());
    });
    await Promise.all(promises);
    expect(setCookies).toHaveLength(1);
    const { session } = await browser.request();
    expect(session.userId).toBe("alice");
    expect(session.metadata).toEqual({ after: 1 });
  });
});

describe("two requests that sign in with the same cookie, such as a double click", () => {
  it("leave one session; the slower one is told and gets no cookie", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    await browser.request();
    const [one, two] = [await browser.open(), await browser.copy().open()];
    const outcomes = await Promise.allSettled([
      one.session.signIn("alice"),
      two.session.signIn("alice"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "SESSION_SUPERSEDED" } });
    expect(await two.commit()).toEqual([]);
    await browser.answer(one);
    expect((await browser.request()).session.userId).toBe("alice");
    expect((await world.manager.list()).total).toBe(1);
  });

  it("without a cookie make a session each, of which the later cookie counts", async () => {
    const { world } = gatedWorld({ create: "write" });
    const browser = world.browser();
    const [one, two] = [await browser.open(), await browser.open()];
    await Promise.all([one.session.signIn("alice"), two.session.signIn("alice")]);
    await browser.answer(one);
    await browser.answer(two);
    expect((await browser.request()).session.id).toBe(two.session.id);
    expect((await world.manager.list({ userId: "alice" })).total).toBe(2);
  });
});

describe("a visit whose session falls due while the handler runs", () => {
  it("stores nothing more, and the next request is a newcomer's", async () => {
    const { world } = gatedWorld({ sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    world.clock.advance(HOUR);
    expect(visit.session.isActive).toBe(false);
    visit.session.set("a", 1);
    expect(await failureOf(visit.session.save())).toMatchObject({ code: "SESSION_ENDED" });
    expect((await browser.answer(visit)).setCookies).toEqual([]);
    expect(world.events("ended")).toMatchObject([{ reason: "idle", at: START + HOUR }]);
  });

  it("of a signed-in user is taken over by nobody: signing in makes a fresh one", async () => {
    const { world } = gatedWorld({ sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    const before = visit.session.id;
    world.clock.advance(HOUR);
    await visit.session.signIn("alice");
    expect(visit.session.id).not.toBe(before);
    await browser.answer(visit);
    expect((await browser.request()).session.userId).toBe("alice");
  });
});

describe("committing", () => {
  it("twice at once stores once", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.increment("n");
    await Promise.all([visit.commit(), visit.commit()]);
    expect((await browser.request()).session.get("n")).toBe(1);
  });

  it("may be done again for what changed since", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    for (let round = 1; round <= 3; round++) {
      visit.session.increment("n");
      await visit.commit();
      expect((await world.manager.get(visit.session.id))?.metadata).toEqual({ n: round });
    }
  });

  it("is not needed where nothing changed: the answer may leave at once", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    expect(visit.session.get("a")).toBeUndefined();
    expect(visit.isDirty).toBe(false);
  });

  it("makes one session where the first write, ensure and save come together", async () => {
    const { world } = gatedWorld({ create: "write" });
    const browser = world.browser();
    const { session } = await browser.request(async (current, visit) => {
      current.set("a", 1);
      const all = Promise.all([visit.ensure(), current.save(), visit.commit(), visit.ensure()]);
      current.set("b", 2);
      await all;
    });
    expect((await world.manager.list({ status: "all" })).total).toBe(1);
    expect(session.metadata).toEqual({ a: 1, b: 2 });
    expect((await browser.request()).session.metadata).toEqual({ a: 1, b: 2 });
  });
});

describe("an update in a visit that may not have a session", () => {
  it("sees its own change, keeps nothing, and says so at the end", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    const { session } = await browser.request(
      async (current) => {
        expect(await current.update("n", (n) => ((n as number | undefined) ?? 0) + 1)).toBe(1);
        expect(await current.update("n", (n) => ((n as number | undefined) ?? 0) + 1)).toBe(2);
      },
      { headers: { "sec-fetch-site": "cross-site" } },
    );
    expect(session.state).toBe("unsaved");
    expect(world.events("lost-write")).toMatchObject([{ keys: ["n"], reason: "withheld" }]);
    expect((await world.manager.list()).total).toBe(0);
  });
});

describe("a listener that interferes", () => {
  it("by revoking a session the moment it is made leaves its visitor without one", async () => {
    const world = new World();
    world.manager.on("created", ({ sessionId }) => void world.manager.revoke(sessionId));
    const browser = world.browser();
    const { session } = await browser.request((current) => current.set("a", 1));
    expect(session.isActive).toBe(false);
    expect(browser.cookies.size).toBe(0);
    expect((await world.manager.list()).total).toBe(0);
  });
});
