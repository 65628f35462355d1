import type { SessionStore, StoreEvent } from "@kyb/session-core/store";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqliteStore } from "../src/index.ts";
import { DRIVERS, openDatabase, type TestDatabase, TestFolder } from "./support/files.ts";
import {
  commitOf,
  hasty,
  idOf,
  NO_LIMITS,
  newSession,
  patient,
  queryOf,
  requestsOf,
  START,
  set,
  settingsOf,
} from "./support/sessions.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

describe.each(DRIVERS)("While another holds the lock of the file, on %s,", (driver) => {
  let database: TestDatabase;
  let other: TestDatabase;
  let store: SessionStore;

  beforeEach(async () => {
    const path = folder.file();
    database = openDatabase(driver, path);
    other = openDatabase(driver, path);
    store = sqliteStore({ database });
    await store.create(newSession("a", { userId: "ann" }), NO_LIMITS, patient);
    other.exec("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE");
  });
  afterEach(async () => {
    await store.close();
    database.close();
    other.close();
  });

  it("reads go on, and are answered at once", () => {
    expect(store.find(idOf("a"), patient)).toMatchObject({ state: { userId: "ann" } });
    expect(store.list(queryOf(), patient)).toMatchObject({ total: 1 });
  });

  it("writes wait without blocking the event loop, and are made when it is free (F-26)", async () => {
    const writes = [
      store.create(newSession("b"), NO_LIMITS, patient),
      store.commit(idOf("a"), commitOf("one", { ops: [set("key", 1)] }), patient),
      store.track(requestsOf([idOf("a")], 1, Date.now()), patient),
      store.end(idOf("a"), "revoked", {}, patient),
    ];
    // Timers run while they wait: some pauses between tries pass.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await store.find(idOf("b"), patient)).toBeUndefined();
    other.exec("COMMIT");
    await Promise.all(writes);
    expect(await store.find(idOf("b"), patient)).toBeDefined();
    expect(await store.find(idOf("a"), patient)).toMatchObject({ endReason: "revoked" });
  });

  it("a caller that no longer waits hears STORE_UNAVAILABLE with the cause, and nothing is done later", async () => {
    const caller = new AbortController();
    const commit = store.commit(idOf("a"), commitOf("one", { ops: [set("key", 1)] }), caller);
    caller.abort();
    await expect(commit).rejects.toMatchObject({
      name: "SessionError",
      code: "STORE_UNAVAILABLE",
      cause: expect.any(Error),
    });
    other.exec("COMMIT");
    await store.commit(idOf("a"), commitOf("two"), patient);
    expect(await store.find(idOf("a"), patient)).toMatchObject({
      state: { version: 1, metadata: {} },
    });
  });

  it("a caller that does not wait at all hears it at once, and no error of SQLite", async () => {
    const calls = [
      store.create(newSession("b"), NO_LIMITS, hasty),
      store.end(idOf("a"), "revoked", {}, hasty),
      store.endUser("ann", "revoked", {}, hasty),
      store.endIfDue(idOf("a"), hasty),
      store.track(requestsOf([idOf("a")], 1, Date.now()), hasty),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    other.exec("COMMIT");
    expect(await store.find(idOf("a"), patient)).toMatchObject({
      requestCount: 0,
      endedAt: undefined,
    });
  });

  it("a sweep that has nothing to do needs no lock, and one that has waits", async () => {
    expect(store.sweep({ milliseconds: 50 }, patient)).toEqual({ ended: 0, more: false });
    store.attach(settingsOf(() => START));
    const swept = store.sweep({ milliseconds: 50 }, patient);
    other.exec("COMMIT");
    expect(await swept).toMatchObject({ ended: 1 });
  });

  it("a store that is closed meanwhile says so", async () => {
    const commit = store.commit(idOf("a"), commitOf("one"), patient);
    store.close();
    await expect(commit).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("Two stores on one file", () => {
  it("see each other's sessions at once and hear each other's events a moment later, once", async () => {
    const path = folder.file();
    const [one, two] = [sqliteStore({ path }), sqliteStore({ path })];
    await one.create(newSession("before"), NO_LIMITS, patient);
    const heard: StoreEvent[] = [];
    const own: StoreEvent[] = [];
    const ended = new Promise<void>((resolve) => {
      two.subscribe((event) => {
        heard.push(event);
        if (event.type === "ended") resolve();
      });
    });
    one.subscribe((event) => own.push(event));
    await one.create(newSession("a", { userId: "ann \ud800\0" }), NO_LIMITS, patient);
    expect(await two.find(idOf("a"), patient)).toBeDefined();
    await one.end(idOf("a"), "revoked", {}, patient);
    expect(own.map(({ type }) => type)).toEqual(["created", "ended"]);
    await ended;
    expect(heard).toEqual(own);
    expect(heard).toMatchObject([{ userId: "ann \ud800\0" }, { reason: "revoked" }]);
    await one.close();
    await two.close();
  });

  it("tell nothing of the time in which nobody listened", async () => {
    const path = folder.file();
    const [one, two] = [sqliteStore({ path }), sqliteStore({ path })];
    two.subscribe(() => undefined)();
    await one.create(newSession("unheard"), NO_LIMITS, patient);
    const first = new Promise<StoreEvent>((resolve) => {
      two.subscribe(resolve);
    });
    await one.create(newSession("heard"), NO_LIMITS, patient);
    expect(await first).toMatchObject({ sessionId: idOf("heard") });
    await one.close();
    await two.close();
  });
});
