import { runStoreCases, type StoreHarness, storeCases } from "@kyb/session-testkit";
import { expect, it } from "vitest";

/**
 * Registers every case of the store suite but those that need what the store declares that it lacks, and those that run
 * into its own UNSUPPORTED: without a method `all` nothing can be listed.
 */
export function expressStoreCases(harness: StoreHarness, canList: boolean): void {
  for (const each of storeCases.filter(({ needs }) => needs === undefined)) {
    it(`${each.topic}: ${each.name}`, async () => {
      const [result] = await runStoreCases(harness, [each]);
      const { error, skipped } = result ?? expect.unreachable();
      expect(skipped).toBeUndefined();
      const isUnlisted = !canList && error instanceof Error && codeOf(error) === "UNSUPPORTED";
      if (error !== undefined && !isUnlisted) throw error;
    });
  }
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
