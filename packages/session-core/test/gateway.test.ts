import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionError } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import { HOUR, MINUTE } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { ManualTimers } from "./support/manual-timers.ts";
import { Site, UNAVAILABLE } from "./support/site.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const timers = new ManualTimers();

beforeEach(() => {
  timers.install();
});

afterEach(() => {
  timers.uninstall();
});

describe("what a store says itself", () => {
  it("passes as it is, where it is a SessionError; its own STORE_UNAVAILABLE is an outage", async () => {
    const inner = memoryStore();
    let error = new SessionError("INVALID_ARGUMENT", "This cursor is not mine.");
    const world = new World({
      store: wrappedStore(inner, (method, run) => {
        if (method === "list") throw error;
        return run();
      }),
    });
    expect(await failureOf(world.manager.list())).toBe(error);
    expect(world.events("store-error")).toEqual([]);
    error = new SessionError("STORE_UNAVAILABLE", "Not today.");
    expect(await failureOf(world.manager.list())).toBe(error);
    expect(world.events("store-error")).toEqual([{ operation: "list", error }]);
  });
});

describe("calls that had to wait", () => {
  it("are counted and timed, failures too", async () => {
    const gates = new GatedStore(memoryStore());
    const world = new World({ store: gates.store, storeTimeout: "1m" });
    for (const wait of [10, 30]) {
      const call = gates.hold("list");
      const listing = world.manager.list();
      await call.arrived;
      world.clock.advance(wait);
      call.release();
      await listing;
    }
    const { store } = await world.manager.metrics();
    expect(store).toEqual({ calls: 3, failures: 0, averageDuration: 40 / 3, maxDuration: 30 });
  });
});

describe("a due session, where the store cannot be asked whether it is over", () => {
  it("is neither served nor replaced", async () => {
    const site = new Site(timers, { sessionTimeout: "1h" });
    const { world, failing } = site;
    const browser = await world.signedIn("alice");
    world.clock.advance(HOUR);
    failing.fail("rejects", "endIfDue");
    expect(await failureOf(browser.open())).toMatchObject(UNAVAILABLE);
    failing.recover();
    expect((await site.request(browser)).session.isNew).toBe(true);
  });
});

describe("the last minute of a session", () => {
  it("is written through; a store that cannot take it fails no request, and the loss is counted", async () => {
    const site = new Site(timers, { sessionTimeout: "1h" });
    const { world, failing } = site;
    const browser = await world.signedIn("alice");
    await site.request(browser);
    world.clock.advance(HOUR - MINUTE / 60);
    failing.fail("rejects", "track");
    const { session, setCookies } = await site.request(browser);
    expect(session).toMatchObject({ state: "ok", userId: "alice" });
    expect(setCookies).toEqual([]);
    expect(world.events("tracking-dropped").length).toBeGreaterThan(0);
  });
});

describe("a session whose successor cannot be offered", () => {
  it("looks as unavailable as any other, where that is what onStoreError says", async () => {
    const site = new Site(timers, { regenerateEvery: "1h", onStoreError: "unavailable" });
    const { world, failing } = site;
    const browser = await world.signedIn("alice");
    world.clock.advance(HOUR);
    failing.fail("rejects", "commit");
    const { session, setCookies } = await site.request(browser);
    expect(session).toMatchObject({ state: "unavailable", id: "", userId: undefined });
    expect(setCookies).toEqual([]);
    failing.recover();
    expect((await site.request(browser)).session.userId).toBe("alice");
  });
});
