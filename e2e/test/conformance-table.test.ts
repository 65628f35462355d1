import { describe, expect, it } from "vitest";
import { ConformanceTable } from "../../scripts/conformance-table.ts";

describe("the table of a conformance run", () => {
  it("has a row for each suite with what was tried and what came of it", () => {
    const table = new ConformanceTable();
    const race = { suite: "memory", interleavings: 700, distinct: 699 };
    table.add({ conformance: race }, "passed");
    table.add({ conformance: { ...race, distinct: 698 } }, "passed");
    table.add({ conformance: { suite: "memory" } }, "failed");
    table.add({ conformance: { suite: "memory" } }, "skipped");
    table.add({ conformance: { suite: "memory: faults", faults: 12 } }, "passed");
    expect(table.lines()).toEqual([
      "",
      "conformance     cases  passed  failed  skipped  interleavings  distinct  faults",
      "memory              4       2       1        1          1,400     1,397       -",
      "memory: faults      1       1       -        -              -         -      12",
    ]);
  });

  it("names what was not run, and why", () => {
    const table = new ConformanceTable();
    table.add({ conformance: { suite: "redis", missing: "it is not installed" } }, "skipped");
    expect(table.lines().at(-1)).toBe("Not run: redis: it is not installed");
  });

  it("is left out of runs without a conformance suite", () => {
    const table = new ConformanceTable();
    table.add({}, "passed");
    expect(table.lines()).toEqual([]);
  });
});
