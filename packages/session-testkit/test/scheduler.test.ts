import { describe, expect, it } from "vitest";
import { seededRandom } from "../src/store/random.ts";
import { Scheduler } from "../src/store/scheduler.ts";

/** Two clients that each read a shared number, and then write one more than they read. */
async function race(seed: number, mayBeLost = false): Promise<{ schedule: string; total: number }> {
  const lost = (): Error => new Error("lost");
  const scheduler = new Scheduler(seededRandom(seed), { lost });
  let total = 0;
  const client = (name: string) => async (): Promise<void> => {
    const read = await scheduler.pass(`${name}.read`, () => total);
    const write = (): void => {
      total = read + 1;
    };
    try {
      await scheduler.pass(`${name}.write`, write, { mayBeLost });
    } catch (error) {
      expect(error).toMatchObject({ message: "lost" });
    }
  };
  await scheduler.run([client("a"), client("b")]);
  return { schedule: scheduler.schedule, total };
}

describe("the scheduler", () => {
  it("makes the same choices from the same seed", async () => {
    for (let seed = 0; seed < 50; seed++) expect(await race(seed)).toEqual(await race(seed));
  });

  it("finds the order in which one write is lost, and those in which none is", async () => {
    const totals = new Set<number>();
    const schedules = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const { schedule, total } = await race(seed);
      totals.add(total);
      schedules.add(schedule);
    }
    expect(totals).toEqual(new Set([1, 2]));
    expect(schedules.size).toBeGreaterThan(30);
  });

  it("delivers an answer before or after another client's call", async () => {
    const before = /a\.read> .*b\.read/;
    const after = /a\.read .*b\.read .*a\.read>/;
    const schedules: string[] = [];
    for (let seed = 0; seed < 100; seed++) schedules.push((await race(seed)).schedule);
    expect(schedules.some((schedule) => before.test(schedule))).toBe(true);
    expect(schedules.some((schedule) => after.test(schedule))).toBe(true);
  });

  it("executes calls at the same time", async () => {
    const schedules: string[] = [];
    for (let seed = 0; seed < 100; seed++) schedules.push((await race(seed)).schedule);
    expect(schedules.some((schedule) => schedule.includes("+"))).toBe(true);
  });

  it("loses calls before and after they were executed, where the caller repeats them", async () => {
    const seen = { before: 0, after: 0 };
    for (let seed = 0; seed < 200; seed++) {
      const { schedule } = await race(seed, true);
      if (schedule.includes("write-")) seen.before += 1;
      if (schedule.includes("write!")) seen.after += 1;
    }
    expect(seen.before).toBeGreaterThan(0);
    expect(seen.after).toBeGreaterThan(0);
  });

  it("says what a client failed with", async () => {
    const scheduler = new Scheduler(seededRandom(1), { lost: () => new Error("lost") });
    const failing = async (): Promise<void> => {
      await scheduler.pass("a.call", () => {
        throw new Error("the store is down");
      });
    };
    await expect(scheduler.run([failing])).rejects.toThrow("the store is down");
  });
});
