import { describe, expect, it } from "vitest";
import {
  exploreRaces,
  RaceViolation,
  replayRace,
  runStoreCases,
  storeCases,
} from "../src/index.ts";
import { brokenStores } from "./broken-stores.ts";
import { ReferenceStore } from "./reference-store.ts";

const races = storeCases.filter((each) => each.topic === "races");

describe("exploreRaces", () => {
  it("explores every scenario from the seeds that it is given", async () => {
    const harness = { open: () => ({ store: new ReferenceStore() }) };
    const report = await exploreRaces(harness, { first: 1_000_000, count: 20 });
    expect(report.interleavings).toBe(20 * races.length);
    expect(report.distinct).toBeGreaterThan(0.9 * report.interleavings);
    expect(report.answers["commit applied"]).toBeGreaterThan(report.interleavings);
  });
});

describe("an interleaving", () => {
  it("replays from its seed: the same clients, schedule and answers", async () => {
    const harness = { open: () => ({ store: new ReferenceStore() }) };
    for (const { name } of races) {
      for (const seed of [1, 17, 4711]) {
        const first = await replayRace(harness, name, seed);
        expect(first.violations).toEqual([]);
        expect(first.schedule.length).toBeGreaterThan(20);
        expect(await replayRace(harness, name, seed)).toEqual(first);
        const { schedule } = await replayRace(harness, name, seed + 1);
        expect(schedule).not.toBe(first.schedule);
      }
    }
  });

  it("shows the same violations when the seed that was printed is replayed", async () => {
    const broken = brokenStores.find(({ name }) => name.startsWith("writes the whole state back"));
    if (broken === undefined) throw new Error("The broken store has another name now.");
    const harness = { open: () => ({ store: broken.open() }) };
    const [result] = await runStoreCases(harness, races);
    const { error } = result ?? {};
    if (!(error instanceof RaceViolation)) throw new Error("The race did not reject the store.");
    const { scenario, seed } = error.run;
    expect(error.message).toContain(`replayRace(harness, ${JSON.stringify(scenario)}, ${seed})`);
    const again = await replayRace(harness, scenario, seed);
    expect(again).toEqual(error.run);
    expect(again.violations.length).toBeGreaterThan(0);
  });

  it("exists only for scenarios that exist", async () => {
    const harness = { open: () => ({ store: new ReferenceStore() }) };
    await expect(replayRace(harness, "nothing", 1)).rejects.toThrow('no scenario "nothing"');
  });
});
