import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { SessionStore } from "../src/store.ts";
import { MINUTE } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

interface Gated {
  readonly world: World;
  readonly gates: GatedStore;
}

/** A world whose store answers later and can be held up at any call. */
function gatedWorld(
  config: ConstructorParameters<typeof World>[0] = {},
  store: SessionStore = memoryStore(),
): Gated {
  const gates = new GatedStore(store);
  return { world: new World({ store: gates.store, storeTimeout: "1m", ...config }), gates };
}

describe("a session that was ended never comes back (F-01, R-26)", () => {
  it("stays ended where the sign-out comes before a slow request's write", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const slow = await browser.open();
    slow.session.set("draft", "late");
    const { session } = await browser.copy().request((current) => current.signOut());

    const { setCookies } = await browser.answer(slow);
    expect(setCookies).toEqual([]);
    expect(await world.manager.get(session.id)).toMatchObject({
      isActive: false,
      endReason: "signed-out",
      metadata: {},
    });
    expect(world.events("lost-write")).toMatchObject([
      { sessionId: session.id, keys: ["draft"], reason: "ended", error: { code: "SESSION_ENDED" } },
    ]);
    expect((await world.manager.metrics()).conflictsPrevented.gone).toBe(1);
  });

  it("stays ended where the slow write is on its way already", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const slow = await browser.open();
    slow.session.set("draft", "late");
    const write = gates.hold("commit");
    const answer = browser.answer(slow);
    await write.arrived;
    const { session } = await browser.copy().request((current) => current.signOut());
    write.release();
    expect((await answer).setCookies).toEqual([]);
    expect((await world.manager.get(session.id))?.isActive).toBe(false);
    expect(world.events("ended")).toHaveLength(1);
  });

  for (const end of ["revoke", "revokeUser", "signOut", "endOthers"] as const) {
    it(`stays ended by ${end}, whatever a request under way tries`, async () => {
      const { world } = gatedWorld();
      const browser = await world.signedIn("alice");
      const other = await world.signedIn("alice");
      for (const attempt of ["set", "update", "increment", "regenerate", "signIn"] as const) {
        const target = await world.signedIn("alice");
        const visit = await target.open();
        const { id } = visit.session;
        if (end === "revoke") await world.manager.revoke(id);
        if (end === "revokeUser")
          await world.manager.revokeUser("alice", { except: browser.token?.split(".")[0] ?? "" });
        if (end === "signOut") await target.copy().request((session) => session.signOut());
        if (end === "endOthers") await browser.request((session) => session.endOthers());
        try {
          if (attempt === "set") visit.session.set("a", 1);
          if (attempt === "increment") visit.session.increment("a");
          if (attempt === "update") await visit.session.update("a", () => 1);
          if (attempt === "regenerate") await visit.session.regenerate();
          if (attempt === "signIn") await visit.session.signIn("alice");
        } catch (error) {
          expect(error).toMatchObject({ code: "SESSION_ENDED" });
        }
        await target.answer(visit);
        const found = await world.manager.get(id);
        expect(found?.isActive).toBe(false);
        expect(found?.metadata).toEqual({});
        // A sign-in proves who the user is; it makes a session of its own, never the ended one.
        expect(visit.session.id === id).toBe(attempt !== "signIn");
      }
      expect(other.cookies.size).toBe(1);
    });
  }

  it("stays ended where a regeneration was on its way", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    const write = gates.hold("commit");
    const regeneration = failureOf(visit.session.regenerate());
    await write.arrived;
    await world.manager.revokeUser("alice");
    write.release();
    expect(await regeneration).toMatchObject({ code: "SESSION_ENDED" });
    expect((await browser.answer(visit)).setCookies).toEqual([]);
    expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
  });

  it("gives no cookie to the visitor whose new session was ended before the response left", async () => {
    const { world } = gatedWorld();
    const browser = world.browser();
    const visit = await browser.open();
    await world.manager.revoke(visit.session.id);
    visit.session.set("a", 1);
    expect((await browser.answer(visit)).setCookies).toEqual([]);
  });

  it("is over for the next request the moment revoke has answered, on every instance", async () => {
    const store = memoryStore();
    const [here, there] = [new World({ store }), new World({ store })];
    const browser = await here.signedIn("alice");
    const { session } = await browser.request();
    await there.manager.revoke(session.id);
    expect((await browser.request()).session.userId).toBeUndefined();
  });
});

describe("revoking a user (F-08)", () => {
  it("ends every session that was there, whatever else runs, and none that comes later", async () => {
    const { world, gates } = gatedWorld();
    const browsers = await Promise.all(Array.from({ length: 20 }, () => world.signedIn("alice")));
    const bystander = await world.signedIn("bob");
    const visits = await Promise.all(browsers.map((browser) => browser.open()));
    const end = gates.hold("endUser");
    const revoking = world.manager.revokeUser("alice");
    await end.arrived;
    const writes = Promise.all(
      visits.map(async (visit, index) => {
        visit.session.set("a", 1);
        await browsers[index]?.answer(visit);
      }),
    );
    const logins = Promise.all(Array.from({ length: 5 }, () => world.signedIn("alice")));
    end.release();
    const [result, , later] = await Promise.all([revoking, writes, logins]);
    const after = await world.signedIn("alice");
    expect(result.ended).toBeGreaterThan(19);
    for (const browser of browsers)
      expect((await browser.request()).session.userId).toBeUndefined();
    expect((await after.request()).session.userId).toBe("alice");
    expect((await bystander.request()).session.userId).toBe("bob");
    expect(later).toHaveLength(5);
  });
});

describe("state and the next request", () => {
  it("is acknowledged before the response leaves: after a redirect the next request sees it", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("cart", ["tea"]);
    const write = gates.hold("commit");
    let isDone = false;
    const commit = visit.commit().then(() => {
      isDone = true;
    });
    await write.arrived;
    expect(isDone).toBe(false);
    expect(visit.isDirty).toBe(true);
    write.release();
    await commit;
    expect((await browser.request()).session.get("cart")).toEqual(["tea"]);
  });

  it("is one commit for many changes", async () => {
    const inner = memoryStore();
    let commits = 0;
    const world = new World({
      store: wrappedStore(inner, (method, run) => {
        if (method === "commit") commits += 1;
        return run();
      }),
    });
    const browser = await world.signedIn("alice");
    commits = 0;
    await browser.request((session) => {
      for (let index = 0; index < 20; index++) session.set(`k${index}`, index);
    });
    expect(commits).toBe(1);
  });

  it("moves on while a response is slow, without being held back by it", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const slow = await browser.open();
    world.clock.advance(5 * MINUTE);
    const { session } = await browser.request((current) => current.set("a", 1));
    expect(session.get("a")).toBe(1);
    await browser.answer(slow);
    expect((await browser.request()).session.get("a")).toBe(1);
  });
});
