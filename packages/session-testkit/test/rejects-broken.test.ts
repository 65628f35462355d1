import { describe, expect, it } from "vitest";
import { runStoreCases, storeCases } from "../src/index.ts";
import { brokenStores } from "./broken-stores.ts";

/** What a case says about a store; anything else would be an accident of the twin. */
const VERDICTS = ["AssertionError", "RaceViolation"];

describe("a store that breaks one guarantee", () => {
  for (const { name, open, rejectedBy } of brokenStores) {
    it(`is rejected: it ${name}`, { timeout: 120_000 }, async () => {
      const cases = storeCases.filter((each) => rejectedBy.includes(each.name));
      expect(new Set(cases.map((each) => each.name))).toEqual(new Set(rejectedBy));
      const results = await runStoreCases({ open: () => ({ store: open() }) }, cases);
      for (const result of results) {
        const { error } = result;
        const verdict = error instanceof Error ? error.name : "accepted";
        expect(VERDICTS, `"${result.name}" said: ${String(error)}`).toContain(verdict);
      }
    });
  }
});

describe("a case of the store suite", () => {
  it("has a name of its own", () => {
    const names = storeCases.map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("rejects at least one broken store, every one of them", () => {
    const rejecting = new Set(brokenStores.flatMap((twin) => twin.rejectedBy));
    const toothless = storeCases.filter((each) => !rejecting.has(each.name));
    expect(toothless.map((each) => each.name)).toEqual([]);
  });
});
