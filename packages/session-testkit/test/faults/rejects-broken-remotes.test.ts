import { describe, expect, it } from "vitest";
import { faultCases, runFaultCases } from "../../src/faults/index.ts";
import { brokenRemotes } from "./broken-remotes.ts";
import { remoteHarness } from "./remote-harness.ts";

/** What a case says about a store; anything else would be an accident of the twin. */
const VERDICTS = ["AssertionError", "OutOfPatience", "SessionError"];

const cases = faultCases(remoteHarness());

describe("a remote store that breaks one guarantee", () => {
  for (const { name, parts, rejectedBy } of brokenRemotes) {
    it(`is rejected: it ${name}`, { timeout: 240_000 }, async () => {
      const chosen = cases.filter((each) => rejectedBy.some((part) => each.name.includes(part)));
      expect(chosen.length).toBeGreaterThanOrEqual(rejectedBy.length);
      const results = [];
      for (const each of chosen)
        results.push(...(await runFaultCases(remoteHarness(parts()), [each])));
      for (const { name: said, error } of results) {
        const verdict = error instanceof Error ? error.name : "accepted";
        expect(VERDICTS, `"${said}" said: ${String(error)}`).toContain(verdict);
      }
    });
  }
});

describe("a case of the fault suite", () => {
  it("has a name of its own", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it("rejects at least one broken store, every one of them", () => {
    const rejecting = brokenRemotes.flatMap((twin) => twin.rejectedBy);
    const toothless = cases.filter((each) => !rejecting.some((part) => each.name.includes(part)));
    expect(toothless.map((each) => each.name)).toEqual([]);
  });
});
