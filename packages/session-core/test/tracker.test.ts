import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SessionError, type SessionErrorCode } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { MaybePromise, SessionStore } from "../src/store.ts";
import type { TrackBatch } from "../src/track-batch.ts";
import type { Browser } from "./support/browser.ts";
import { ManualTimers, settle } from "./support/manual-timers.ts";
import { World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

type Answer = "late" | "at once" | "throws" | "rejects" | "hangs" | "refuses";

/** A store that is written to in batches, and that answers them as it is told. */
class BatchedStore {
  readonly inner = memoryStore();
  readonly batches: TrackBatch[] = [];
  readonly store: SessionStore;
  answer: Answer = "late";
  refusal: SessionErrorCode = "INVALID_VALUE";

  constructor() {
    const wrapped = wrappedStore(this.inner, (_method, run) => run(), {
      immediate: false,
      name: "batched",
    });
    this.store = { ...wrapped, track: (batch) => this.#track(batch) };
  }

  #track(batch: TrackBatch): MaybePromise<void> {
    this.batches.push(batch);
    switch (this.answer) {
      case "at once":
        return this.inner.track(batch);
      case "late":
        return Promise.resolve().then(() => this.inner.track(batch));
      case "throws":
        throw new Error("connection refused");
      case "rejects":
        return Promise.reject(new Error("connection reset"));
      case "hangs":
        return new Promise<never>(() => undefined);
      case "refuses":
        throw new SessionError(this.refusal, "This batch cannot be stored.");
    }
  }
}

const timers = new ManualTimers();
let batched: BatchedStore;
let world: World;
let browser: Browser;

beforeEach(async () => {
  timers.install();
  batched = new BatchedStore();
  world = new World({
    store: batched.store,
    flushInterval: "1s",
    storeTimeout: "200ms",
    cleanupInterval: 0,
  });
  browser = await world.signedIn("alice");
  await browser.request();
  await timers.advance(1000);
  batched.batches.length = 0;
});
afterEach(() => {
  timers.uninstall();
});

async function requests(count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await browser.request(undefined, { path: `/${index}` });
}

function endpoints(batch: TrackBatch | undefined): (string | undefined)[] {
  return (batch?.items ?? [])
    .map(({ request }) => request?.endpoint)
    .filter((path) => path !== undefined);
}

async function counted(): Promise<number> {
  return (await world.manager.metrics()).totalRequests;
}

describe("tracking with a store that is not in memory", () => {
  it("is collected and sent in one batch after flushInterval, and no request waits for it", async () => {
    batched.answer = "hangs";
    await requests(3);
    expect(batched.batches).toHaveLength(0);
    await timers.advance(999);
    expect(batched.batches).toHaveLength(0);
    await timers.advance(1);
    expect(batched.batches).toHaveLength(1);
    expect(endpoints(batched.batches[0])).toEqual(["/0", "/1", "/2"]);
  });

  it("numbers its batches, one after the other, under one name", async () => {
    for (let round = 0; round < 3; round++) {
      await requests(1);
      await timers.advance(1000);
    }
    const [first, second, third] = batched.batches.map(({ sequence }) => sequence);
    expect([second, third]).toEqual([(first ?? 0) + 1, (first ?? 0) + 2]);
    expect(first).toBeGreaterThan(0);
    expect(new Set(batched.batches.map(({ instance }) => instance)).size).toBe(1);
    expect(batched.batches[0]?.instance).toMatch(/^[\w-]{16}$/);
  });

  it("sends 500 at once, without waiting for the interval", async () => {
    await requests(499);
    await timers.advance(0);
    expect(batched.batches).toHaveLength(0);
    await requests(1);
    await timers.advance(0);
    expect(batched.batches.map(({ items }) => items.length)).toEqual([500]);
  });

  it("goes on after a flush that was overtaken by new observations", async () => {
    await requests(1);
    // The batch is under way when more comes; that goes right behind it, and a timer is left without work.
    const inner = batched.store.track;
    let during: Promise<void> | undefined;
    Object.assign(batched.store, {
      track: (batch: TrackBatch, call: never) => {
        during ??= requests(1);
        return during.then(() => inner(batch, call));
      },
    });
    await timers.advance(1000);
    await timers.advance(5000);
    await requests(1);
    await timers.advance(1000);
    expect(await counted()).toBe(2 + 3);
    expect(batched.batches).toHaveLength(3);
    await world.manager.close();
  });

  it("ends with the manager: close sends what waits", async () => {
    await requests(2);
    await world.manager.close();
    expect(batched.batches.map(endpoints)).toEqual([["/0", "/1"]]);
    expect(await counted()).toBe(4);
    expect(world.events("tracking-dropped")).toEqual([]);
    expect(timers.pending).toBe(0);
  });

  it("counts as dropped what comes after the end", async () => {
    const visit = await browser.open();
    await world.manager.close();
    visit.finish({ status: 200, responseSize: 0 });
    await timers.advance(10_000);
    expect(world.events("tracking-dropped")).toMatchObject([{ count: 1 }]);
  });
});

for (const failure of ["throws", "rejects", "hangs"] as const) {
  describe(`tracking with a store that ${failure}`, () => {
    it("keeps the batch and sends it again under its own number, before any other", async () => {
      batched.answer = failure;
      await requests(2);
      await timers.advance(1000);
      await requests(1);
      await timers.advance(5000);
      const sent = batched.batches.length;
      expect(sent).toBeGreaterThan(1);
      const [first] = batched.batches;
      for (const batch of batched.batches) expect(batch).toEqual(first);

      batched.answer = "late";
      await timers.advance(2000);
      const [again, next, ...more] = batched.batches.slice(sent);
      expect(again).toEqual(first);
      expect(endpoints(next)).toEqual(["/0"]);
      expect(next?.sequence).toBe((first?.sequence ?? 0) + 1);
      expect(more).toEqual([]);
      expect(await counted()).toBe(2 + 3);
      expect(world.events("tracking-dropped")).toEqual([]);
    });

    it("fails no request, and reports the failure", async () => {
      batched.answer = failure;
      const { session } = await browser.request((current) => current.set("a", 1));
      await timers.advance(1000 + 200);
      expect(session.get("a")).toBe(1);
      expect(world.events("store-error")).toMatchObject([
        { operation: "track", error: { code: "STORE_UNAVAILABLE" } },
      ]);
    });

    it("goes on when the store is back, however long it was away", async () => {
      batched.answer = failure;
      await requests(1);
      await timers.advance(60_000);
      batched.answer = "late";
      await timers.advance(2000);
      await requests(1);
      await timers.advance(1000);
      expect(await counted()).toBe(2 + 2);
    });

    it("counts as dropped what cannot be stored at the end, and close is bounded in time", async () => {
      batched.answer = failure;
      await requests(3);
      let isClosed = false;
      const closing = world.manager.close().then(() => {
        isClosed = true;
      });
      await timers.advance(200);
      expect(isClosed).toBe(true);
      await closing;
      expect(world.events("tracking-dropped")).toEqual([{ count: 3, reason: "failed" }]);
      expect((await world.manager.metrics()).trackingDropped).toBe(3);
      expect(timers.pending).toBe(0);
    });
  });
}

describe("tracking with a store that applied a batch and did not answer", () => {
  it("counts it once: the number tells it from a new one", async () => {
    batched.answer = "hangs";
    await requests(2);
    await timers.advance(1000);
    // It was applied all the same.
    const [lost] = batched.batches;
    if (lost !== undefined) batched.inner.track(lost);
    batched.answer = "late";
    await timers.advance(5000);
    expect(await counted()).toBe(2 + 2);
  });
});

describe("a batch that the store refuses for good", () => {
  it("is dropped and counted, and the next one goes on", async () => {
    batched.answer = "refuses";
    await requests(2);
    await timers.advance(1000);
    expect(world.events("tracking-dropped")).toEqual([{ count: 2, reason: "failed" }]);
    batched.answer = "late";
    await requests(1);
    await timers.advance(1000);
    expect(await counted()).toBe(2 + 1);
  });
});

describe("a batch that the store refuses for want of room, or until somebody mends it", () => {
  for (const refusal of ["STORE_FULL", "STORE_MISCONFIGURED"] as const) {
    it(`is kept and sent again: ${refusal}`, async () => {
      Object.assign(batched, { answer: "refuses", refusal });
      await requests(2);
      await timers.advance(3000);
      expect(world.events("tracking-dropped")).toEqual([]);
      batched.answer = "late";
      await timers.advance(2000);
      expect(await counted()).toBe(2 + 2);
    });
  }
});

describe("the buffer", () => {
  it("holds 20,000 observations; what comes on top is dropped and counted (R-46)", async () => {
    batched.answer = "hangs";
    const id = browser.token?.split(".")[0] ?? "";
    const record = async (): Promise<void> =>
      void (await world.manager.recordActivity(id, { action: "x" }));
    for (let index = 0; index < 20_003; index++) await record();
    await settle();
    expect(world.events("tracking-dropped")).toEqual(
      Array.from({ length: 3 }, () => ({ count: 1, reason: "full" })),
    );
    expect((await world.manager.metrics()).trackingDropped).toBe(3);
  });
});

describe("an observation that is written through", () => {
  it("is outside the numbered batches, so that it may be repeated", async () => {
    world.clock.advance(24 * 3_600_000 - 1000);
    await browser.open();
    expect(batched.batches.map(({ sequence, items }) => [sequence, items.length])).toEqual([
      [0, 1],
    ]);
  });
});
