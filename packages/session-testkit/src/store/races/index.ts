import { expect } from "vitest";
import type { StoreCase } from "../harness.ts";
import { exploreRace } from "./explore.ts";
import { scenarios } from "./scenarios.ts";

/** One case for each scenario. */
export const raceCases: readonly StoreCase[] = scenarios.map((scenario) => ({
  name: scenario.name,
  topic: "races",
  needs: "atomic",
  run: async ({ harness }) => {
    const { interleavings, sees } = scenario;
    const report = await exploreRace(harness, scenario, { first: 1, count: interleavings });
    expect(report.distinct / interleavings, "share of distinct schedules").toBeGreaterThan(0.9);
    const unseen = sees.filter((answer) => report.answers[answer] === undefined);
    expect(unseen, "answers without which this race never took place").toEqual([]);
    return report;
  },
}));
