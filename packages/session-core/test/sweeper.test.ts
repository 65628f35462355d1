import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { MaybePromise, StoreCapabilities, SweepResult } from "../src/store.ts";
import { HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { ManualTimers } from "./support/manual-timers.ts";
import { World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const timers = new ManualTimers();
beforeEach(() => {
  timers.install();
});
afterEach(() => {
  timers.uninstall();
});

/** A store that counts its sweeps and answers them as it is told. */
function sweptStore(
  capabilities: Partial<StoreCapabilities>,
  answer: () => MaybePromise<SweepResult> = () => ({ ended: 0, more: false }),
) {
  const budgets: number[] = [];
  const store = {
    ...wrappedStore(memoryStore(), (_method, run) => run(), capabilities),
    sweep: ({ milliseconds }: { milliseconds: number }) => {
      budgets.push(milliseconds);
      return answer();
    },
  };
  return { budgets, store };
}

describe("sweeping", () => {
  it("ends due sessions in memory within a second, though nobody comes by", async () => {
    const world = new World({ sessionTimeout: "1h" });
    await world.manager.create({ userId: "alice" });
    world.clock.advance(HOUR);
    expect(world.events("ended")).toEqual([]);
    await timers.advance(SECOND);
    expect(world.events("ended")).toMatchObject([{ reason: "idle", userId: "alice" }]);
  });

  it("of an external store happens every cleanupInterval, in slices that block nobody", async () => {
    const { budgets, store } = sweptStore({ sweepInterval: undefined });
    const world = new World({ store, cleanupInterval: "10m" });
    await world.manager.list();
    await timers.advance(10 * MINUTE - 1);
    expect(budgets).toHaveLength(0);
    await timers.advance(1);
    expect(budgets).toHaveLength(1);
    expect(budgets[0]).toBeLessThan(5);
    await timers.advance(30 * MINUTE);
    expect(budgets).toHaveLength(4);
  });

  it("goes on at once where more is due than fits into a slice", async () => {
    let left = 3;
    const { budgets, store } = sweptStore({ sweepInterval: 1000 }, () => ({
      ended: 100,
      more: --left > 0,
    }));
    const world = new World({ store });
    await world.manager.list();
    await timers.advance(1000);
    expect(budgets).toHaveLength(3);
    await timers.advance(999);
    expect(budgets).toHaveLength(3);
  });

  it("is off where cleanupInterval is 0", async () => {
    const { budgets, store } = sweptStore({ sweepInterval: undefined });
    const world = new World({ store, cleanupInterval: 0 });
    await world.manager.list();
    await timers.advance(48 * HOUR);
    expect(budgets).toHaveLength(0);
    expect(timers.pending).toBe(0);
  });

  for (const failure of ["throws", "rejects"] as const) {
    it(`goes on in the next round where the store ${failure}`, async () => {
      const { budgets, store } = sweptStore({ sweepInterval: 1000 }, () => {
        const error = new Error("connection lost");
        if (failure === "throws") throw error;
        return Promise.reject(error);
      });
      const world = new World({ store });
      await world.manager.list();
      await timers.advance(3000);
      expect(budgets).toHaveLength(3);
      expect(world.events("store-error")).toHaveLength(3);
    });
  }

  it("does not overlap with itself where the store is slow", async () => {
    let running = 0;
    let most = 0;
    const { store } = sweptStore({ sweepInterval: 1000 }, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 5000);
      });
      running -= 1;
      return { ended: 0, more: false };
    });
    const world = new World({ store, storeTimeout: "1m" });
    await world.manager.list();
    await timers.advance(MINUTE);
    expect(most).toBe(1);
  });

  it("stops when the manager is closed, also in the middle of a slice", async () => {
    const gate = Promise.withResolvers<SweepResult>();
    const { budgets, store } = sweptStore({ sweepInterval: 1000 }, () => gate.promise);
    const world = new World({ store, storeTimeout: "10m" });
    await world.manager.list();
    await timers.advance(1000);
    expect(budgets).toHaveLength(1);
    await world.manager.close();
    gate.resolve({ ended: 0, more: true });
    await timers.advance(HOUR);
    expect(budgets).toHaveLength(1);
    expect(timers.pending).toBe(0);
  });
});
