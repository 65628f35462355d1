import { describe, expect, it } from "vitest";
import { adapterCases, runAdapterCases } from "../src/index.ts";
import { brokenAdapters } from "./broken-adapters.ts";

/** What a case says about an adapter; anything else would be an accident of the twin. */
const VERDICTS = ["AssertionError", "OutOfPatience", "UnexpectedAnswer"];

/** Milliseconds that a case waits for what these adapters never do. */
const patience = 300;

describe("an adapter that breaks one guarantee", () => {
  for (const { name, make, rejectedBy } of brokenAdapters) {
    it(`is rejected: it ${name}`, { timeout: 60_000 }, async () => {
      const cases = adapterCases.filter((each) => rejectedBy.includes(each.name));
      expect(new Set(cases.map((each) => each.name))).toEqual(new Set(rejectedBy));
      for (const each of cases) {
        const [result] = await runAdapterCases(make(), [each], { patience });
        const error = result?.error;
        const verdict = error instanceof Error ? error.name : "accepted";
        expect(VERDICTS, `"${each.name}" said: ${String(error)}`).toContain(verdict);
      }
    });
  }
});

describe("a case of the adapter suite", () => {
  it("has a name of its own", () => {
    const names = adapterCases.map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("rejects at least one broken adapter, every one of them", () => {
    const rejecting = new Set(brokenAdapters.flatMap((twin) => twin.rejectedBy));
    const toothless = adapterCases.filter((each) => !rejecting.has(each.name));
    expect(toothless.map((each) => each.name)).toEqual([]);
  });
});
