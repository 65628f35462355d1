import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { StoreCall } from "../src/store.ts";
import { GatedStore } from "./support/gated-store.ts";
import { ManualTimers, settle } from "./support/manual-timers.ts";
import { Site, TIMEOUT, UNAVAILABLE } from "./support/site.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const timers = new ManualTimers();

beforeEach(() => {
  timers.install();
});

afterEach(() => {
  timers.uninstall();
});

describe("a store that does the work and does not answer (F-17)", () => {
  it("is asked again under the same number: nothing is applied twice", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    const browser = await world.signedIn("alice");
    await site.request(browser, async (session) => {
      session.increment("views", 2);
      failing.fail("deaf", "commit");
      expect(await site.wait(failureOf(session.save()))).toMatchObject(UNAVAILABLE);
      failing.recover();
    });
    expect((await site.request(browser)).session.get("views")).toBe(2);
  });

  it("is asked again before a sign-in that keeps the data: nothing is applied twice", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    const browser = world.browser();
    await browser.request();
    await site.request(browser, async (session) => {
      session.increment("views", 2);
      failing.fail("deaf", "commit");
      expect(await site.wait(failureOf(session.save()))).toMatchObject(UNAVAILABLE);
      failing.recover();
      await session.signIn("alice", { keep: ["views"] });
    });
    expect((await site.request(browser)).session.get("views")).toBe(2);
  });

  it("to a sign-in leaves the client with a dead secret, which signs in again at once", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    const browser = world.browser();
    await browser.request();
    await site.request(browser, async (session) => {
      failing.fail("deaf", "commit");
      expect(await site.wait(failureOf(session.signIn("alice")))).toMatchObject(UNAVAILABLE);
      failing.recover();
    });
    const { session, setCookies } = await site.request(browser, (current) =>
      current.signIn("alice"),
    );
    expect(session.userId).toBe("alice");
    expect(setCookies).toHaveLength(1);
    expect((await site.request(browser)).session.userId).toBe("alice");
  });

  it("to a sign-out leaves the session ended", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    const browser = await world.signedIn("alice");
    await site.request(browser, async (session) => {
      failing.fail("deaf", "end");
      expect(await site.wait(failureOf(session.signOut()))).toMatchObject(UNAVAILABLE);
      failing.recover();
      await session.signOut();
    });
    expect(browser.cookies.size).toBe(0);
    expect((await world.manager.list({ userId: "alice" })).total).toBe(0);
  });
});

describe("a store that answers too late", () => {
  it("is not heard any more: the answer changes nothing", async () => {
    const gates = new GatedStore(memoryStore());
    const world = new World({ store: gates.store, storeTimeout: TIMEOUT });
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.session.set("a", 1);
    const answer = gates.hold("commit", "after");
    const saving = failureOf(visit.session.save());
    await answer.arrived;
    await timers.advance(TIMEOUT);
    expect(await saving).toMatchObject(UNAVAILABLE);
    answer.release();
    await settle();
    expect(visit.isDirty).toBe(true);
    await browser.answer(visit);
    expect((await browser.request()).session.get("a")).toBe(1);
    expect(world.events("lost-write")).toEqual([]);
  });

  it("is told to stop: the signal of the call is aborted", async () => {
    const inner = memoryStore();
    const calls: StoreCall[] = [];
    const store = {
      ...wrappedStore(inner, (_method, run) => run()),
      find: (_id: string, call: StoreCall) => {
        calls.push(call);
        return new Promise<never>((_, reject) => {
          call.signal.addEventListener("abort", () => reject(call.signal.reason));
        });
      },
    };
    const world = new World({ store, storeTimeout: TIMEOUT });
    const getting = failureOf(world.manager.get("x".repeat(32)));
    await timers.advance(TIMEOUT - 1);
    expect(calls[0]?.signal.aborted).toBe(false);
    await timers.advance(1);
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(await getting).toMatchObject(UNAVAILABLE);
  });

  it("leaves no timer behind, and neither does one that answers in time", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    const before = timers.pending;
    failing.fail("rejects");
    await failureOf(world.manager.get("x".repeat(32)));
    failing.recover();
    const gates = new GatedStore(memoryStore());
    await new World({ store: gates.store, cleanupInterval: 0 }).manager.get("x".repeat(32));
    // The store in memory is swept by a timer of its manager's; nothing else waits.
    expect(timers.pending - before).toBeLessThan(3);
  });
});

describe("a sign-in while a commit hangs", () => {
  it("waits for its turn, and both are stored", async () => {
    const gates = new GatedStore(memoryStore());
    const world = new World({ store: gates.store, storeTimeout: "1m" });
    const browser = world.browser();
    await browser.request();
    const visit = await browser.open();
    const write = gates.hold("commit");
    visit.session.set("cart", ["tea"]);
    const saving = visit.session.save();
    await write.arrived;
    const signingIn = visit.session.signIn("alice", { keep: ["cart"] });
    write.release();
    await Promise.all([saving, signingIn]);
    await browser.answer(visit);
    const { session } = await browser.request();
    expect(session.userId).toBe("alice");
    expect(session.metadata).toEqual({ cart: ["tea"] });
  });

  it("goes on when the commit is given up", async () => {
    const gates = new GatedStore(memoryStore());
    const world = new World({ store: gates.store, storeTimeout: TIMEOUT });
    const browser = world.browser();
    await browser.request();
    const visit = await browser.open();
    const write = gates.hold("commit");
    visit.session.set("cart", ["tea"]);
    const saving = failureOf(visit.session.save());
    await write.arrived;
    const signingIn = visit.session.signIn("alice", { keep: ["cart"] });
    await timers.advance(TIMEOUT);
    expect(await saving).toMatchObject(UNAVAILABLE);
    await signingIn;
    write.release();
    await settle();
    await browser.answer(visit);
    const { session } = await browser.request();
    expect(session.userId).toBe("alice");
    expect(session.metadata).toEqual({ cart: ["tea"] });
  });
});
