import { StoreBench } from "./bench.ts";
import type { Effort, StoreCase, StoreHarness, StoreTopic } from "./harness.ts";
import type { RaceReport } from "./races/explore.ts";
import { storeCases } from "./store-cases.ts";

/** What became of one case. */
export interface StoreCaseResult {
  readonly name: string;
  readonly topic: StoreTopic;
  /** What the store did wrong; undefined: nothing. */
  readonly error?: unknown;
  /** Why the case was not run. */
  readonly skipped?: string;
  /** What a case of the topic `races` explored. */
  readonly report?: RaceReport | undefined;
}

/**
 * Runs cases, by default all, against a store without registering tests: one after the other, each with a store of
 * its own. For those who want to see their own broken store rejected, or to run the suite in a place of their own.
 * `effort` makes the races shorter; `KYB_TEST_LONG=1` makes them as long as they can be.
 */
export async function runStoreCases(
  harness: StoreHarness,
  cases: readonly StoreCase[] = storeCases,
  effort: Effort = {},
): Promise<StoreCaseResult[]> {
  const results: StoreCaseResult[] = [];
  for (const each of cases) results.push(await runStoreCase(harness, each, effort));
  return results;
}

/** Runs one case; what it throws is in the result. */
export async function runStoreCase(
  harness: StoreHarness,
  each: StoreCase,
  effort: Effort = {},
): Promise<StoreCaseResult> {
  const { name, topic } = each;
  const bench = await StoreBench.open(harness, each.settings);
  const result = await runOn(bench, each, effort);
  try {
    await bench.close();
  } catch (error) {
    // What the case has to say comes first: a store that broke in its middle may well not close.
    if (result.error === undefined) return { name, topic, error };
  }
  return result;
}

async function runOn(bench: StoreBench, each: StoreCase, effort: Effort): Promise<StoreCaseResult> {
  const { name, topic, needs } = each;
  if (needs !== undefined && !bench.store.capabilities[needs]) {
    return { name, topic, skipped: `the store declares ${needs}: false` };
  }
  try {
    return { name, topic, report: await each.run(bench, effort) };
  } catch (error) {
    return { name, topic, error };
  }
}
