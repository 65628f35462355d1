import { expect } from "vitest";
import { isLongForm } from "../../long-form.ts";
import type { StoreCase } from "../harness.ts";
import { exploreRace, unseen } from "./explore.ts";
import { scenarios } from "./scenarios.ts";

/** One case for each scenario. */
export const raceCases: readonly StoreCase[] = scenarios.map((scenario) => ({
  name: scenario.name,
  topic: "races",
  needs: "atomic",
  run: async ({ harness }, effort = {}) => {
    const atMost = scenario.interleavings;
    const count = isLongForm() ? atMost : Math.min(effort.interleavings ?? atMost, atMost);
    const report = await exploreRace(harness, scenario, { first: 1, count, atMost });
    expect(report.distinct / report.interleavings, "share of distinct schedules").toBeGreaterThan(
      0.9,
    );
    expect(
      unseen(scenario, report.answers),
      "answers without which this race never took place",
    ).toEqual([]);
    return report;
  },
}));
