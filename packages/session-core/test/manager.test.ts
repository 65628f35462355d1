import { describe, expect, it } from "vitest";
import { SessionManager } from "../src/manager.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Bag } from "./support/browser.ts";
import { HOUR, ManualClock, SECOND, START } from "./support/clock.ts";
import { CountingStore } from "./support/counting-store.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const UNKNOWN = "x".repeat(32);

const INVALID = { name: "SessionError", code: "INVALID_ARGUMENT" };

describe("making a manager", () => {
  it("asks the store for nothing, starts no timer and draws no randomness", () => {
    const counting = new CountingStore(memoryStore());
    let subscriptions = 0;
    const store = {
      ...counting.store,
      subscribe: () => {
        subscriptions += 1;
        return () => undefined;
      },
    };
    const timers = watchTimers(() => {
      new SessionManager({
        store,
        random: () => {
          throw new Error("no randomness at module scope");
        },
      });
    });
    expect(timers).toBe(0);
    expect(subscriptions).toBe(0);
    expect(counting.take()).toEqual([]);
  });

  it("and listening to it starts no timer either, so that both may happen while modules load", () => {
    const timers = watchTimers(() => {
      new SessionManager().on("ended", () => undefined);
    });
    expect(timers).toBe(0);
  });

  it("gives the store what it has to know", () => {
    const clock = new ManualClock();
    let settings: Parameters<ReturnType<typeof memoryStore>["attach"]>[0] | undefined;
    const store = {
      ...wrappedStore(memoryStore(), (_method, run) => run()),
      attach: (given: typeof settings) => {
        settings = given;
      },
    };
    new SessionManager({
      clock,
      store,
      activity: { limit: 7, maxBytes: 9000, retention: "2h" },
      endedRetention: "3h",
      maxEnded: 5,
      enableMetrics: false,
    });
    expect(settings).toMatchObject({
      activityLimit: 7,
      activityBytes: 9000,
      activityRetention: 2 * HOUR,
      endedRetention: 3 * HOUR,
      maxEnded: 5,
      metrics: false,
    });
    clock.advance(SECOND);
    expect(settings?.now()).toBe(START + SECOND);
  });

  it("twice makes two that know nothing of each other", async () => {
    const [one, two] = [new World(), new World()];
    const browser = await one.signedIn("alice");
    const visit = await two.manager.visit(
      { method: "GET", url: "/", headers: new Headers({ cookie: browser.cookieHeader ?? "" }) },
      { encrypted: true },
    );
    expect(visit.session.userId).toBeUndefined();
    expect(two.events("signed-in")).toEqual([]);
  });
});

describe("get", () => {
  it("answers a live session, and undefined for an unknown id", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice" });
    expect(await world.manager.get(session.id)).toEqual(session);
    expect(await world.manager.get(UNKNOWN)).toBeUndefined();
  });

  it("answers an ended one with when and why, within endedRetention", async () => {
    const world = new World({ endedRetention: "1h" });
    const { session } = await world.manager.create({ userId: "alice" });
    await world.manager.revoke(session.id);
    world.clock.advance(HOUR - 1);
    expect(await world.manager.get(session.id)).toMatchObject({
      isActive: false,
      endedAt: START,
      endReason: "revoked",
    });
    world.clock.advance(1);
    expect(await world.manager.get(session.id)).toBeUndefined();
  });

  it("answers a snapshot: what happens later does not change it", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice" });
    const before = await world.manager.get(session.id);
    await world.manager.patch(session.id, { a: 1 });
    await world.manager.revoke(session.id);
    expect(before).toEqual(session);
  });
});

for (const method of ["get", "activity", "recordActivity", "patch", "revoke"] as const) {
  describe(`${method} without an id`, () => {
    for (const id of [undefined, null, "", 5, {}]) {
      it(`refuses ${JSON.stringify(id) ?? "undefined"}`, async () => {
        const world = new World();
        const call = world.manager[method].bind(world.manager) as (
          id: unknown,
          more: object,
        ) => Promise<unknown>;
        expect(await failureOf(call(id, {}))).toMatchObject(INVALID);
      });
    }
  });
}

describe("list", () => {
  it("answers pages, the newest first, with a total and a cursor", async () => {
    const world = new World();
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      ids.unshift((await world.manager.create({ userId: `user${index % 2}` })).session.id);
      world.clock.advance(SECOND);
    }
    const first = await world.manager.list({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(first.total).toBe(5);
    const second = await world.manager.list({ limit: 2, cursor: first.nextCursor ?? "" });
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    const last = await world.manager.list({ limit: 2, cursor: second.nextCursor ?? "" });
    expect(last.items.map(({ id }) => id)).toEqual(ids.slice(4));
    expect(last.nextCursor).toBeUndefined();
    expect((await world.manager.list({ userId: "user1" })).total).toBe(2);
    expect((await world.manager.list({ sort: "createdAt", limit: 1 })).items[0]?.id).toBe(ids[4]);
  });

  it("shows live sessions, ended ones or both", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice" });
    await world.manager.create({ userId: "bob" });
    await world.manager.revoke(session.id);
    expect((await world.manager.list()).items.map(({ userId }) => userId)).toEqual(["bob"]);
    expect(
      (await world.manager.list({ status: "ended" })).items.map(({ userId }) => userId),
    ).toEqual(["alice"]);
    expect((await world.manager.list({ status: "all" })).total).toBe(2);
  });

  it("refuses a cursor that is not its own", async () => {
    expect(await failureOf(new World().manager.list({ cursor: "abc" }))).toMatchObject(INVALID);
  });
});

describe("activity", () => {
  it("is empty for an id that nobody knows", async () => {
    expect(await new World().manager.activity(UNKNOWN)).toEqual({ items: [], total: 0 });
  });

  it("is paged, the newest first, also of an ended session", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    for (const path of ["/1", "/2", "/3"]) await browser.request(undefined, { path });
    const { session } = await browser.request((current) => current.signOut(), { path: "/out" });
    const first = await world.manager.activity(session.id, { limit: 2 });
    expect(first.items.map(({ endpoint }) => endpoint)).toEqual(["/3", "/2"]);
    const rest = await world.manager.activity(session.id, { cursor: first.nextCursor ?? "" });
    expect(rest.items.map(({ endpoint }) => endpoint)).toEqual(["/1", "/"]);
    expect((await world.manager.activity(session.id, { offset: 3 })).items).toHaveLength(1);
  });
});

describe("closing", () => {
  it("is idempotent, and closes the store that the manager made itself", async () => {
    const manager = new SessionManager<Bag>();
    await manager.create({ userId: "alice" });
    const closing = manager.close();
    expect(manager.close()).toBe(closing);
    await closing;
    expect(await failureOf(manager.list())).toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  it("leaves a store that it was given open for others", async () => {
    const store = memoryStore();
    const world = new World({ store });
    const { session } = await world.manager.create({ userId: "alice" });
    await world.manager.close();
    expect(await new World({ store }).manager.get(session.id)).toBeDefined();
  });

  it("stops listening to the store", async () => {
    const store = memoryStore();
    const world = new World({ store });
    await world.manager.create();
    await world.manager.close();
    await new World({ store }).manager.create();
    expect(world.events("created")).toHaveLength(1);
  });

  it("of a manager that was never used does nothing", async () => {
    await new SessionManager().close();
  });
});

/** How many timers are started meanwhile. */
function watchTimers(run: () => void): number {
  const { setTimeout: original, setInterval: originalInterval } = globalThis;
  let count = 0;
  const counted = (): number => {
    count += 1;
    return 0;
  };
  Object.assign(globalThis, { setTimeout: counted, setInterval: counted });
  try {
    run();
  } finally {
    Object.assign(globalThis, { setTimeout: original, setInterval: originalInterval });
  }
  return count;
}
