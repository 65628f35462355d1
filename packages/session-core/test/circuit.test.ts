import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionError } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import { ManualTimers, settle } from "./support/manual-timers.ts";
import { Site, TIMEOUT, UNAVAILABLE } from "./support/site.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const UNKNOWN = "A".repeat(32);
/** Calls in a row that an outage costs. */
const FAILURES = 5;
/** Milliseconds between two probes. */
const PAUSE = 250;

const timers = new ManualTimers();

beforeEach(() => {
  timers.install();
});

afterEach(() => {
  timers.uninstall();
});

/** A store behind which calls hang, are refused, or go on, and that counts who asks. */
class Line {
  readonly world: World;
  /** What the next calls meet. */
  weather: "fine" | "late" | "hangs" | "rejects" | Error = "fine";
  /** Delivers the answer to the call that came last in the weather "late". */
  deliver: () => void = () => undefined;
  /** Calls that have come and have not been answered. */
  waiting = 0;
  asked = 0;

  constructor(storeTimeout = TIMEOUT) {
    this.world = new World({
      store: wrappedStore(memoryStore(), async (_method, run) => {
        this.asked += 1;
        if (this.weather === "fine") return run();
        if (this.weather === "late") {
          return new Promise((resolve) => {
            this.deliver = () => resolve(run());
          });
        }
        if (this.weather === "rejects") throw new Error("connection reset");
        if (this.weather !== "hangs") throw this.weather;
        this.waiting += 1;
        return new Promise<never>(() => undefined);
      }),
      storeTimeout,
      cleanupInterval: 0,
    });
  }

  /** Lets time pass for the timers and for the clock. */
  async pass(milliseconds: number): Promise<void> {
    await timers.advance(0);
    this.world.clock.advance(milliseconds);
    await timers.advance(milliseconds);
  }

  ask(): Promise<unknown> {
    return this.world.manager.get(UNKNOWN);
  }

  /** How many of these calls reach the store. */
  async reach(count: number): Promise<number> {
    const before = this.asked;
    for (let call = 0; call < count; call++) {
      this.ask().catch(() => undefined);
      await settle();
    }
    return this.asked - before;
  }

  /** An outage that has just been noticed. */
  async down(weather: "hangs" | "rejects"): Promise<void> {
    await this.ask();
    await this.pass(PAUSE);
    this.weather = weather;
    await this.reach(FAILURES);
    await this.pass(TIMEOUT);
    this.waiting = 0;
  }
}

describe("a store that has stopped answering (R-78, F-11)", () => {
  for (const weather of ["hangs", "rejects"] as const) {
    it(`is asked no more once five calls in a row have failed: it ${weather}`, async () => {
      const line = new Line();
      await line.ask();
      await line.pass(PAUSE);
      line.weather = weather;
      expect(await line.reach(FAILURES)).toBe(FAILURES);
      await line.pass(TIMEOUT);
      expect(await line.reach(100)).toBe(0);
      const error = await failureOf(line.ask());
      expect(error).toMatchObject(UNAVAILABLE);
      expect((error as Error).message).toContain("being probed");
      expect((error as Error).cause).toMatchObject({ code: "STORE_UNAVAILABLE" });
    });
  }

  it("is probed by one call at a time, a quarter of a second after the last one", async () => {
    const line = new Line(60_000);
    await line.down("rejects");
    line.weather = "hangs";
    expect(await line.reach(10), "too early").toBe(0);
    await line.pass(PAUSE);
    expect(await line.reach(100)).toBe(1);
    // A probe is given up after a second, however long other calls may take.
    await line.pass(999);
    expect(await line.reach(100)).toBe(0);
    await line.pass(1);
    expect(await line.reach(100), "the pause").toBe(0);
    await line.pass(PAUSE - 1);
    expect(await line.reach(100)).toBe(0);
    await line.pass(1);
    expect(await line.reach(100)).toBe(1);
  });

  it("is asked again by everybody as soon as a probe comes through, within 2 s of the fault's end", async () => {
    const line = new Line();
    await line.down("hangs");
    await line.pass(PAUSE);
    expect(await line.reach(1)).toBe(1);
    line.weather = "fine";
    let waited = 0;
    while ((await line.reach(1)) === 0) {
      await line.pass(50);
      waited += 50;
    }
    expect(waited).toBeLessThan(2000);
    expect(await line.reach(100)).toBe(100);
    expect(line.world.events("store-error").length).toBe(FAILURES + 1);
  });

  it("is not met by everybody at once while the probe is under way (F-46)", async () => {
    const line = new Line();
    await line.down("hangs");
    await line.pass(PAUSE);
    await line.reach(1000);
    expect(line.waiting).toBe(1);
  });

  it("is given up for one call alone, where another one has just been answered", async () => {
    const line = new Line();
    await line.ask();
    line.weather = "rejects";
    expect(await line.reach(50)).toBe(50);
    line.weather = "fine";
    await line.ask();
    line.weather = "rejects";
    await line.pass(PAUSE);
    expect(await line.reach(FAILURES)).toBe(FAILURES);
    await line.pass(1);
    expect(await line.reach(50)).toBe(0);
  });

  it("is not given up by a process that was held up, and hears of its failures before the answers", async () => {
    const line = new Line();
    await line.ask();
    line.weather = "late";
    expect(await line.reach(1)).toBe(1);
    // Nothing is heard for a while, though the answer to the first call is on its way.
    line.world.clock.advance(2 * PAUSE);
    line.weather = "rejects";
    expect(await line.reach(2 * FAILURES)).toBe(2 * FAILURES);
    line.deliver();
    await line.pass(1);
    expect(await line.reach(3)).toBe(3);
  });
});

describe("errors that are answers", () => {
  for (const code of ["STORE_FULL", "RECORD_UNREADABLE", "STORE_MISCONFIGURED"] as const) {
    it(`leave the way to the store open: ${code}`, async () => {
      const line = new Line();
      await line.ask();
      await line.pass(PAUSE);
      line.weather = new SessionError(code, "The store's own words.");
      expect(await line.reach(50)).toBe(50);
      expect(await failureOf(line.ask())).toBe(line.weather);
    });
  }

  it("show that the store is back", async () => {
    const line = new Line();
    await line.down("hangs");
    await line.pass(PAUSE);
    line.weather = new SessionError("STORE_FULL", "The store's own words.");
    expect(await line.reach(20)).toBe(20);
  });
});

describe("a store that answers at once", () => {
  it("is always asked, also when it fails at once", async () => {
    const site = new Site(timers);
    const { world, failing } = site;
    world.clock.advance(PAUSE);
    failing.fail("throws");
    for (let call = 0; call < 50; call++) {
      const error = (await failureOf(world.manager.get(UNKNOWN))) as Error;
      expect(error.cause).toBe(failing.cause);
    }
  });
});

describe("a store that answers at once as well as later, as one on a file does", () => {
  /** Fails later, then answers at once. */
  function mixed(): { world: World; say(next: "later" | "at once" | "throws"): void } {
    let answer: "later" | "at once" | "throws" = "at once";
    const store = wrappedStore(memoryStore(), (_method, run) => {
      if (answer === "at once") return run();
      if (answer === "throws") throw new Error("the file is gone");
      return Promise.reject(new Error("the file is locked"));
    });
    const world = new World({ store, cleanupInterval: 0 });
    return {
      world,
      say: (next) => {
        answer = next;
      },
    };
  }

  it("is known to be there by every answer", async () => {
    const { world, say } = mixed();
    for (let round = 0; round < 2 * FAILURES; round++) {
      world.clock.advance(PAUSE);
      say("later");
      const error = (await failureOf(world.manager.get(UNKNOWN))) as Error;
      expect(error.message).not.toContain("being probed");
      say("at once");
      await world.manager.get(UNKNOWN);
    }
  });

  it("is probed again where a probe has failed at once", async () => {
    const { world, say } = mixed();
    world.clock.advance(PAUSE);
    say("later");
    for (let call = 0; call < FAILURES; call++) await failureOf(world.manager.get(UNKNOWN));
    await timers.advance(1);
    world.clock.advance(PAUSE);
    say("throws");
    await failureOf(world.manager.get(UNKNOWN));
    world.clock.advance(PAUSE);
    say("at once");
    expect(await world.manager.get(UNKNOWN)).toBeUndefined();
    expect(await world.manager.get(UNKNOWN)).toBeUndefined();
  });
});

describe("an answer that comes after the deadline", () => {
  it("surprises nobody, also where it is a rejection", async () => {
    let fail: (cause: Error) => void = () => undefined;
    const world = new World({
      store: wrappedStore(memoryStore(), () => {
        return new Promise<never>((_, reject) => {
          fail = reject;
        });
      }),
      storeTimeout: TIMEOUT,
    });
    const failure = failureOf(world.manager.get(UNKNOWN));
    await timers.advance(TIMEOUT);
    expect(await failure).toMatchObject(UNAVAILABLE);
    // A rejection that nobody handles fails the run.
    fail(new Error("connection reset"));
    await settle();
  });
});

describe("calls that the store could not serve", () => {
  it("are counted by code, those that failed at once among them", async () => {
    const line = new Line();
    await line.down("rejects");
    await line.reach(3);
    await line.pass(PAUSE);
    line.weather = new SessionError("RECORD_UNREADABLE", "Of another kind.");
    await line.reach(2);
    line.weather = new SessionError("INVALID_ARGUMENT", "Not mine.");
    await line.reach(1);
    line.weather = "fine";
    const { storeErrors, store } = await line.world.manager.metrics();
    expect(storeErrors).toEqual({ STORE_UNAVAILABLE: FAILURES + 3, RECORD_UNREADABLE: 2 });
    expect(store.failures).toBe(FAILURES + 2);
  });
});
