import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionError } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Failure } from "./support/failing-store.ts";
import { ManualTimers } from "./support/manual-timers.ts";
import { Site, TIMEOUT, UNAVAILABLE } from "./support/site.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const FAILURES: readonly Failure[] = ["throws", "rejects", "hangs"];

const timers = new ManualTimers();

beforeEach(() => {
  timers.install();
});

afterEach(() => {
  timers.uninstall();
});

for (const failure of FAILURES) {
  describe(`a store that ${failure}, with onStoreError 'fail' (R-77)`, () => {
    it("fails the request of a returning visitor with 503, after storeTimeout at most", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      failing.fail(failure);
      let error: unknown;
      const opening = failureOf(browser.open()).then((caught) => {
        error = caught;
      });
      await timers.advance(TIMEOUT - 1);
      expect(error === undefined).toBe(failure === "hangs");
      await timers.advance(1);
      await opening;
      expect(error).toMatchObject(UNAVAILABLE);
      expect((error as Error).message).not.toContain("driver");
      if (failure !== "hangs") expect((error as Error).cause).toBe(failing.cause);
      expect(world.events("store-error")).toMatchObject([
        { operation: "find", error: { code: "STORE_UNAVAILABLE" } },
      ]);
    });

    it("fails the request of a newcomer with 503", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      failing.fail(failure);
      expect(await site.wait(failureOf(world.browser().open()))).toMatchObject(UNAVAILABLE);
    });

    it("lets those through that need no store", async () => {
      const site = new Site(timers, { create: "write", skip: ({ url }) => url === "/health" });
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      failing.fail(failure);
      expect((await site.request(world.browser())).session.state).toBe("ok");
      expect((await site.request(browser, undefined, { path: "/health" })).session.state).toBe(
        "unsaved",
      );
    });

    it("leaves the user signed in when it is back", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      failing.fail(failure);
      await site.wait(failureOf(browser.open()));
      failing.recover();
      expect((await site.request(browser)).session.userId).toBe("alice");
    });
  });

  describe(`a store that ${failure}, with onStoreError 'unavailable' (R-77)`, () => {
    it("runs the handler, which sees it; reading works, every write throws", async () => {
      const site = new Site(timers, { onStoreError: "unavailable" });
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      failing.fail(failure);
      const { session, setCookies } = await site.request(browser, async (current, visit) => {
        expect(current).toMatchObject({
          state: "unavailable",
          id: "",
          userId: undefined,
          isNew: false,
          isActive: false,
        });
        expect(current.get("cart")).toBeUndefined();
        for (const write of [
          () => current.set("a", 1),
          () => current.delete("a"),
          () => current.increment("a"),
          () => current.update("a", () => 1),
          () => current.save(),
          () => current.signIn("alice"),
          () => current.signOut(),
          () => current.regenerate(),
          () => visit.ensure(),
        ]) {
          expect(await failureOf(async () => write())).toMatchObject(UNAVAILABLE);
        }
      });
      expect(session.state).toBe("unavailable");
      // Never an empty session, and never a cleared cookie.
      expect(setCookies).toEqual([]);
      failing.recover();
      expect((await site.request(browser)).session.userId).toBe("alice");
    });

    it("gives a newcomer no session and no cookie", async () => {
      const site = new Site(timers, { onStoreError: "unavailable" });
      const { world, failing } = site;
      failing.fail(failure);
      const { session, setCookies } = await site.request(world.browser());
      expect(session.state).toBe("unavailable");
      expect(setCookies).toEqual([]);
      failing.recover();
      expect((await world.manager.list()).total).toBe(0);
    });
  });

  describe(`a store that ${failure} when changes are stored`, () => {
    it("makes commit reject and loses no cookie; what was lost is said", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      const visit = await browser.open();
      visit.session.set("cart", ["tea"]);
      failing.fail(failure, "commit");
      expect(await site.wait(failureOf(visit.commit()))).toMatchObject(UNAVAILABLE);
      expect(world.events("lost-write")).toMatchObject([
        {
          sessionId: visit.session.id,
          keys: ["cart"],
          reason: "unavailable",
          error: { code: "STORE_UNAVAILABLE" },
        },
      ]);
      expect(visit.isDirty).toBe(false);
      const headers = new Headers();
      visit.seal(headers);
      visit.finish({ status: 503, responseSize: 0 });
      expect(headers.getSetCookie()).toEqual([]);
      expect(world.events("lost-write")).toHaveLength(1);
      failing.recover();
      expect((await site.request(browser)).session.userId).toBe("alice");
    });

    it("makes save reject; the changes are kept and stored later", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      await site.request(browser, async (session) => {
        session.increment("views", 2);
        failing.fail(failure, "commit");
        expect(await site.wait(failureOf(session.save()))).toMatchObject(UNAVAILABLE);
        failing.recover();
        session.increment("views", 3);
        expect(session.get("views")).toBe(5);
      });
      expect((await site.request(browser)).session.get("views")).toBe(5);
      expect(world.events("lost-write")).toEqual([]);
    });

    it("makes update reject, and nothing has changed", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      await site.request(browser, async (session) => {
        failing.fail(failure, "commit");
        expect(await site.wait(failureOf(session.update("n", () => 1)))).toMatchObject(UNAVAILABLE);
        failing.recover();
        expect(session.get("n")).toBeUndefined();
        expect(await session.update("n", (n) => ((n as number | undefined) ?? 0) + 1)).toBe(1);
      });
      expect((await site.request(browser)).session.get("n")).toBe(1);
    });

    it("makes signIn reject: no cookie, and the visitor stays who they were", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = world.browser();
      await site.request(browser, (session) => session.set("cart", ["tea"]));
      const { setCookies } = await site.request(browser, async (session) => {
        failing.fail(failure, "commit");
        expect(await site.wait(failureOf(session.signIn("alice")))).toMatchObject(UNAVAILABLE);
        failing.recover();
        expect(session.userId).toBeUndefined();
      });
      expect(setCookies).toEqual([]);
      const { session } = await site.request(browser);
      expect(session.userId).toBeUndefined();
      expect(session.get("cart")).toEqual(["tea"]);
    });

    it("makes a switch of users reject: the user of before stays, with their cookie", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      const { setCookies } = await site.request(browser, async (session) => {
        failing.fail(failure, "create");
        expect(await site.wait(failureOf(session.signIn("bob")))).toMatchObject(UNAVAILABLE);
        failing.recover();
        expect(session.userId).toBe("alice");
      });
      expect(setCookies).toEqual([]);
      expect((await site.request(browser)).session.userId).toBe("alice");
    });

    it("makes a switch of users reject where the session before could not be ended: nothing has changed", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      await site.request(browser, (session) => session.set("cart", ["tea"]));
      const { setCookies } = await site.request(browser, async (session) => {
        failing.fail(failure, "end");
        expect(await site.wait(failureOf(session.signIn("bob")))).toMatchObject(UNAVAILABLE);
        failing.recover();
        expect(session.userId).toBe("alice");
        expect(session.get("cart")).toEqual(["tea"]);
        session.set("note", 1);
      });
      expect(setCookies).toEqual([]);
      const { session } = await site.request(browser);
      expect(session.userId).toBe("alice");
      expect(session.metadata).toEqual({ cart: ["tea"], note: 1 });
    });

    it("makes signOut reject: the cookie is not cleared, and it can be tried again", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const browser = await world.signedIn("alice");
      const { setCookies } = await site.request(browser, async (session) => {
        failing.fail(failure, "end");
        expect(await site.wait(failureOf(session.signOut()))).toMatchObject(UNAVAILABLE);
        failing.recover();
        expect(session.userId).toBe("alice");
      });
      expect(setCookies).toEqual([]);
      expect((await site.request(browser)).session.userId).toBe("alice");
      await site.request(browser, (session) => session.signOut());
      expect(browser.cookies.size).toBe(0);
    });

    it("makes a first write reject where it makes the session, and sets no cookie", async () => {
      const site = new Site(timers, { create: "write" });
      const { world, failing } = site;
      const visit = await world.browser().open();
      visit.session.set("a", 1);
      failing.fail(failure, "create");
      expect(await site.wait(failureOf(visit.commit()))).toMatchObject(UNAVAILABLE);
      const headers = new Headers();
      visit.seal(headers);
      expect(headers.getSetCookie()).toEqual([]);
      expect(world.events("lost-write")).toMatchObject([{ keys: ["a"], reason: "unavailable" }]);
    });
  });

  describe(`a store that ${failure} when the manager asks`, () => {
    it("makes every call reject with STORE_UNAVAILABLE", async () => {
      const site = new Site(timers);
      const { world, failing } = site;
      const { session } = await world.manager.create({ userId: "alice" });
      failing.fail(failure);
      const { manager } = world;
      for (const call of [
        () => manager.create(),
        () => manager.get(session.id),
        () => manager.list(),
        () => manager.activity(session.id),
        () => manager.recordActivity(session.id, { action: "x" }),
        () => manager.patch(session.id, { a: 1 }),
        () => manager.revoke(session.id),
        () => manager.revokeUser("alice"),
        () => manager.metrics(),
        () => manager.status(),
      ]) {
        expect(await site.wait(failureOf(call()))).toMatchObject(UNAVAILABLE);
      }
    });
  });
}

for (const code of ["STORE_UNAVAILABLE", "STORE_MISCONFIGURED", "RECORD_UNREADABLE"] as const) {
  describe(`a store that answers ${code} (R-72, R-77)`, () => {
    const error = new SessionError(code, "The store's own words.");
    let isBroken = false;
    const broken = () =>
      wrappedStore(memoryStore(), async (method, run) => {
        if (isBroken && method === "find") throw error;
        return run();
      });

    it("fails the request with 503, with onStoreError 'fail', and raises store-error", async () => {
      isBroken = false;
      const world = new World({ store: broken() });
      const browser = await world.signedIn("alice");
      isBroken = true;
      expect(await failureOf(browser.open())).toBe(error);
      expect(error).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
      expect(world.events("store-error")).toEqual([{ operation: "find", error }]);
      isBroken = false;
      expect((await browser.request()).session.userId).toBe("alice");
    });

    it("lets the handler run, with onStoreError 'unavailable': no empty session, no cookie", async () => {
      isBroken = false;
      const world = new World({ store: broken(), onStoreError: "unavailable" });
      const browser = await world.signedIn("alice");
      isBroken = true;
      const { session, setCookies } = await browser.request(async (current) => {
        expect(current).toMatchObject({ state: "unavailable", id: "", userId: undefined });
        expect(await failureOf(() => current.set("a", 1))).toBe(error);
      });
      expect(session.state).toBe("unavailable");
      expect(setCookies).toEqual([]);
      isBroken = false;
      expect((await browser.request()).session.userId).toBe("alice");
    });
  });
}
