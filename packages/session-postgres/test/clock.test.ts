import type { StoreSettings } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerClock } from "../src/server-clock.ts";
import { call, NO_LIMITS, newSession } from "./fixtures.ts";
import { Bench } from "./harness.ts";

const TEN_MINUTES = 600_000;

describeWithServer("postgres", "the server's clock", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());

  it("rules, and a process whose clock is ten minutes off learns by how much (F-27)", async () => {
    for (const skew of [TEN_MINUTES, -TEN_MINUTES]) {
      const store = bench.store();
      store.attach({ ...settings, now: () => Date.now() - skew });
      expect(store.clockOffset).toBe(0);
      const created = await store.create(newSession(`skew ${skew}`), NO_LIMITS, call);
      if (created.status !== "created") return expect.unreachable(created.status);
      expect(Math.abs(created.record.state.createdAt - Date.now())).toBeLessThan(5000);
      expect(Math.abs((store.clockOffset ?? 0) - skew)).toBeLessThan(5000);
    }
  });
});

describe("the offset of a clock", () => {
  it("moves no further than an answer makes it, so slow answers do not disturb it", () => {
    const clock = new ServerClock();
    clock.learn(1000, 990, 1010);
    expect(clock.offset).toBe(0);
    clock.learn(5000, 1000, 1010);
    expect(clock.offset).toBe(3990);
    clock.learn(9000, 4000, 6000);
    expect(clock.offset).toBe(3990);
    clock.learn(6000, 6000, 6004);
    expect(clock.offset).toBe(0);
  });
});

const settings: StoreSettings = {
  now: Date.now,
  activityLimit: 10,
  activityBytes: 0,
  activityRetention: undefined,
  endedRetention: 1000,
  maxEnded: undefined,
  metrics: true,
};
