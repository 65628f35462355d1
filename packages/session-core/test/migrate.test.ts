import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { type MigrateOptions, migrate } from "../src/migrate/migrate.ts";
import type { MigrationReport } from "../src/migrate/report.ts";
import type { SessionStore } from "../src/store.ts";
import type { Browser } from "./support/browser.ts";
import { HOUR, ManualClock, MINUTE } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

/** An application on its old store, and the same on a new one, with one clock. */
class Move {
  readonly clock = new ManualClock();
  readonly old: World;
  readonly new: World;

  constructor(from?: SessionStore, to?: SessionStore) {
    const config = { clock: this.clock, sessionTimeout: "2h", maxSessions: 10_000 } as const;
    this.old = new World({ ...config, store: from ?? memoryStore() });
    this.new = new World({ ...config, store: to ?? memoryStore() });
  }

  run(options: Partial<MigrateOptions> = {}): Promise<MigrationReport> {
    return migrate({ from: this.old.store, to: this.new.store, ...options });
  }

  /** The same browser at the application that uses the new store. */
  moved(browser: Browser): Browser {
    const moved = this.new.browser();
    for (const [name, value] of browser.cookies) moved.cookies.set(name, value);
    return moved;
  }

  async users(count: number): Promise<Browser[]> {
    const browsers: Browser[] = [];
    for (let index = 0; index < count; index++) {
      browsers.push(await this.old.signedIn(`user ${index}`));
      this.clock.advance(10);
    }
    return browsers;
  }
}

const NOTHING = { copied: 0, updated: 0, skipped: 0, gone: 0, ended: 0, unreadable: 0 };

function idOf(browser: Browser): string {
  return browser.token?.split(".")[0] ?? "";
}

describe("migrate", () => {
  it("copies every live session as it is: nobody is signed out, and nothing of it is lost", async () => {
    const move = new Move();
    const browsers = await move.users(7);
    const [first = expect.unreachable()] = browsers;
    await first.request((session) => {
      session.set("cart", ["tea"]);
      session.track("bought", { item: "tea" });
    });
    const guest = move.old.browser();
    await guest.request();
    const report = await move.run({ batchSize: 3 });
    expect(report).toMatchObject({ ...NOTHING, total: 8, copied: 8 });
    expect(report.duration).toBeGreaterThanOrEqual(0);
    for (const browser of [...browsers, guest]) {
      const id = idOf(browser);
      expect(await move.new.manager.get(id)).toEqual(await move.old.manager.get(id));
      expect(await move.new.manager.activity(id)).toEqual(await move.old.manager.activity(id));
    }
    const { session } = await move.moved(first).request();
    expect(session).toMatchObject({ userId: "user 0", id: idOf(first), requestCount: 2 });
    expect(session.get("cart")).toEqual(["tea"]);
    // The source is only read.
    expect((await move.old.manager.list()).total).toBe(8);
  });

  it("leaves the timelines where they are, if it is told to", async () => {
    const move = new Move();
    const [browser = expect.unreachable()] = await move.users(1);
    await move.run({ activity: false });
    expect((await move.new.manager.activity(idOf(browser))).items).toEqual([]);
  });

  it("takes along timelines of any length", async () => {
    const from = memoryStore({ activityLimit: 2500 });
    const move = new Move(from, memoryStore({ activityLimit: 2500 }));
    const [browser = expect.unreachable()] = await move.users(1);
    for (let index = 0; index < 2300; index++)
      await move.old.manager.recordActivity(idOf(browser), { action: `step ${index}` });
    await move.run();
    const { items, total } = await move.new.manager.activity(idOf(browser));
    expect(items[0]?.action).toBe("step 2299");
    expect(total).toBeGreaterThanOrEqual(2300);
  });

  it("can be run again: what is there is skipped, what is new is copied", async () => {
    const move = new Move();
    await move.users(3);
    await move.run();
    await move.users(2);
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 5, copied: 2, skipped: 3 });
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 5, skipped: 5 });
    expect((await move.new.manager.metrics()).totalSessions).toBe(5);
  });

  it("brings up to date what has gone on in the source since: data, sign-in and secret", async () => {
    const move = new Move();
    const browser = move.old.browser();
    await browser.request((session) => session.set("cart", ["tea"]));
    const [idle = expect.unreachable(), used = expect.unreachable()] = await move.users(2);
    await move.run();
    move.clock.advance(MINUTE);
    await browser.request((session) => session.signIn("alice", { keep: true }));
    await used.request();
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 3, updated: 2, skipped: 1 });
    const { session } = await move.moved(browser).request();
    expect(session.userId).toBe("alice");
    expect(session.get("cart")).toEqual(["tea"]);
    for (const { token } of [idle, used]) {
      const id = token?.split(".")[0] ?? "";
      expect(await move.new.manager.get(id)).toEqual(await move.old.manager.get(id));
    }
  });

  it("leaves alone what has gone on in the target", async () => {
    const move = new Move();
    const [browser = expect.unreachable()] = await move.users(1);
    await move.run();
    move.clock.advance(MINUTE);
    await browser.request((session) => session.set("cart", ["old"]));
    move.clock.advance(MINUTE);
    const moved = move.moved(browser);
    await moved.request((session) => session.set("cart", ["new"]));
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 1, skipped: 1 });
    expect((await moved.request()).session.get("cart")).toEqual(["new"]);
  });

  it("leaves alone what was used in the target last, however often it was changed in the source", async () => {
    const move = new Move();
    const [browser = expect.unreachable()] = await move.users(1);
    await move.run();
    move.clock.advance(MINUTE);
    for (const step of [1, 2, 3]) await browser.request((session) => session.set("step", step));
    move.clock.advance(MINUTE);
    await move.moved(browser).request();
    const before = await move.new.manager.get(idOf(browser));
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 1, skipped: 1 });
    expect(await move.new.manager.get(idOf(browser))).toEqual(before);
  });

  it("never takes a sign-in in the target back, whatever an old secret does in the source", async () => {
    const move = new Move();
    const planted = move.old.browser();
    await planted.request();
    await move.run();
    const victim = move.moved(planted);
    await victim.request((session) => session.signIn("alice"));
    move.clock.advance(MINUTE);
    for (let index = 0; index < 5; index++)
      await planted.request((session) => session.increment("n"));
    expect(await move.run()).toMatchObject({ ...NOTHING, skipped: 1 });
    expect((await victim.request()).session.userId).toBe("alice");
    expect((await move.moved(planted).request()).session.id).not.toBe(idOf(planted));
  });

  it("never brings back what has ended in the target", async () => {
    const move = new Move();
    const [browser = expect.unreachable()] = await move.users(1);
    await move.run();
    await move.new.manager.revoke(idOf(browser));
    move.clock.advance(MINUTE);
    await browser.request((session) => session.set("cart", ["tea"]));
    expect(await move.run()).toMatchObject({ ...NOTHING, skipped: 1 });
    expect((await move.new.manager.get(idOf(browser)))?.isActive).toBe(false);
  });

  it("copies nothing that has ended or is due", async () => {
    const move = new Move();
    const [due = expect.unreachable()] = await move.users(1);
    move.clock.advance(HOUR);
    const [ended = expect.unreachable(), live = expect.unreachable()] = await move.users(2);
    await move.old.manager.revoke(idOf(ended));
    move.clock.advance(HOUR);
    expect(await move.run()).toMatchObject({ ...NOTHING, copied: 1 });
    expect(await move.new.manager.get(idOf(due))).toBeUndefined();
    expect(await move.new.manager.get(idOf(ended))).toBeUndefined();
    expect((await move.new.manager.get(idOf(live)))?.userId).toBe("user 1");
  });
});

describe("a session that ended in the source after it was copied", () => {
  it("ends in the target with the next run; what the target made itself stays", async () => {
    const move = new Move();
    const [first = expect.unreachable()] = await move.users(3);
    await move.run();
    const own = await move.new.manager.create({ userId: "new" });
    await move.old.manager.revoke(idOf(first));
    expect(await move.run()).toMatchObject({ ...NOTHING, total: 2, skipped: 2, ended: 1 });
    expect((await move.new.manager.get(idOf(first)))?.endReason).toBe("revoked");
    expect((await move.new.manager.get(own.session.id))?.isActive).toBe(true);
  });
});

describe("a session that ends in the source while migrate runs", () => {
  /** A move whose first import is held up. */
  async function held(): Promise<{ move: Move; browsers: Browser[]; gates: GatedStore }> {
    const gates = new GatedStore(memoryStore());
    const move = new Move(undefined, gates.store);
    return { move, browsers: await move.users(4), gates };
  }

  it("ends in the target too, with its reason, between its listing and its copying", async () => {
    const { move, browsers, gates } = await held();
    const [first = expect.unreachable()] = browsers;
    const gate = gates.hold("import");
    const running = move.run({ batchSize: 2 });
    await gate.arrived;
    const id = idOf(first);
    await first.request((session) => session.signOut());
    gate.release();
    expect(await running).toMatchObject({ ...NOTHING, copied: 4, ended: 1 });
    expect(await move.new.manager.get(id)).toMatchObject({ endReason: "signed-out" });
  });

  it("ends in the target too after it was copied, also where nobody tells", async () => {
    const { move, browsers, gates } = await held();
    const from = {
      ...wrappedStore(move.old.store, (_method, run) => run()),
      subscribe: () => () => undefined,
    };
    const [first = expect.unreachable()] = browsers;
    const running = move.run({ from, batchSize: 2 });
    gates.hold("import").release();
    const second = gates.hold("import");
    await second.arrived;
    await move.old.manager.revokeUser("user 0");
    second.release();
    expect(await running).toMatchObject({ copied: 4, ended: 1 });
    expect((await move.new.manager.get(idOf(first)))?.isActive).toBe(false);
  });

  it("ends in the target too after it was looked at for the last time", async () => {
    const gates = new GatedStore(memoryStore());
    const move = new Move(gates.store);
    const [browser = expect.unreachable()] = await move.users(1);
    const find = gates.hold("find", "after");
    const running = move.run();
    await find.arrived;
    await move.old.manager.revoke(idOf(browser));
    find.release();
    expect(await running).toMatchObject({ copied: 1, ended: 1 });
    expect((await move.new.manager.get(idOf(browser)))?.endReason).toBe("revoked");
  });

  it("ends in the target too where the source has forgotten it already", async () => {
    const { browsers, gates } = await held();
    const from = memoryStore({ maxEnded: 0 });
    const move = new Move(from, gates.store);
    const [first = expect.unreachable()] = await move.users(2);
    expect(browsers).toHaveLength(4);
    const running = move.run({ batchSize: 1 });
    gates.hold("import").release();
    const second = gates.hold("import");
    await second.arrived;
    await move.old.manager.revoke(idOf(first));
    second.release();
    expect(await running).toMatchObject({ ended: 1 });
    expect((await move.new.manager.get(idOf(first)))?.isActive).toBe(false);
  });

  it("lives on where only the old clock has ended it: the new store has its own", async () => {
    const { move, browsers, gates } = await held();
    const [first = expect.unreachable()] = browsers;
    const running = move.run({ batchSize: 2 });
    gates.hold("import").release();
    const second = gates.hold("import");
    await second.arrived;
    await move.old.manager.revoke(idOf(first), { reason: "idle" });
    second.release();
    expect(await running).toMatchObject({ ended: 0 });
    expect((await move.new.manager.get(idOf(first)))?.isActive).toBe(true);
  });
});

describe("a run of migrate", () => {
  it("lets the process do its other work, also between stores that answer at once", async () => {
    const move = new Move();
    await move.users(100);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setTimeout(count, 0);
    };
    let timer = setTimeout(count, 0);
    await move.run({ batchSize: 5 });
    clearTimeout(timer);
    expect(turns).toBeGreaterThan(20);
  });

  it("tells how far it has come", async () => {
    const move = new Move();
    await move.users(5);
    const heard: number[] = [];
    await move.run({ batchSize: 2, onProgress: ({ copied }) => heard.push(copied) });
    expect(heard.slice(0, 3)).toEqual([2, 4, 5]);
    expect(heard.at(-1)).toBe(5);
  });

  it("stops when it is told to, and what it has copied stays", async () => {
    const move = new Move();
    await move.users(5);
    const controller = new AbortController();
    const reason = new Error("not today");
    const running = move.run({
      batchSize: 2,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    expect(await failureOf(running)).toBe(reason);
    expect((await move.new.manager.list()).total).toBe(2);
    expect(await move.run()).toMatchObject({ copied: 3, skipped: 2 });
  });

  it("rejects with the store's error, and hears no more events", async () => {
    const error = new Error("connection reset");
    const store = wrappedStore(memoryStore(), (method, run) => {
      if (method === "import") throw error;
      return run();
    });
    const move = new Move(undefined, store);
    let listeners = 0;
    const inner = move.old.store;
    const from = {
      ...wrappedStore(inner, (_method, run) => run()),
      subscribe: (listener: Parameters<SessionStore["subscribe"]>[0]) => {
        const stop = inner.subscribe(listener);
        listeners += 1;
        return () => {
          listeners -= 1;
          stop();
        };
      },
    };
    await move.users(1);
    expect(await failureOf(move.run({ from }))).toBe(error);
    expect(listeners).toBe(0);
  });

  it("refuses what makes no sense", async () => {
    const move = new Move();
    const same = { from: move.old.store, to: move.old.store };
    expect(await failureOf(migrate(same))).toMatchObject({ code: "INVALID_ARGUMENT" });
    for (const batchSize of [0, 101, 1.5, Number.NaN, "7" as unknown as number]) {
      const error = await failureOf(move.run({ batchSize }));
      expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
      expect((error as Error).message).toContain("batchSize");
    }
    const to = { ...wrappedStore(memoryStore(), (_method, run) => run()), import: undefined };
    expect(await failureOf(move.run({ to: to as unknown as SessionStore }))).toMatchObject({
      code: "UNSUPPORTED",
    });
  });
});
