import { afterAll, describe, it } from "vitest";
import { countInto } from "../conformance-count.ts";
import type { StoreHarness } from "./harness.ts";
import { runStoreCase } from "./run-case.ts";
import { storeCases } from "./store-cases.ts";

/** Longest time that one case may take, milliseconds: a race on a store behind a network takes minutes. */
const TIMEOUT = 600_000;

/** What to change about a run of the suite. */
export interface StoreSuiteOptions {
  /** Cases that are not run, by name, each with the reason, which the test report shows. */
  readonly skip?: Readonly<Record<string, string>>;
  /**
   * How many interleavings of each race scenario are explored at least, for stores that take their time; by default
   * the 10,000 of all scenarios together, as with `KYB_TEST_LONG=1` whatever is said here.
   */
  readonly interleavings?: number;
}

/**
 * Registers the whole suite as tests: one for each case, in a `describe` for each topic. Prints how many
 * interleavings were explored and how many of them were distinct.
 */
export function storeSuite(
  name: string,
  harness: StoreHarness,
  { skip = {}, interleavings }: StoreSuiteOptions = {},
): void {
  for (const unknown of Object.keys(skip)) {
    if (!storeCases.some((each) => each.name === unknown)) {
      throw new Error(`storeSuite cannot skip "${unknown}": there is no such case.`);
    }
  }
  describe(`store: ${name}`, () => {
    const explored = { interleavings: 0, distinct: 0 };
    for (const topic of new Set(storeCases.map((each) => each.topic))) {
      describe(topic, () => {
        for (const each of storeCases.filter((other) => other.topic === topic)) {
          it(each.name, { timeout: TIMEOUT }, async (context) => {
            countInto(context, { suite: name });
            const reason = skip[each.name];
            if (reason !== undefined) return context.skip(reason);
            const result = await runStoreCase(harness, each, { interleavings });
            if (result.skipped !== undefined) return context.skip(result.skipped);
            if (result.error !== undefined) throw result.error;
            if (result.report === undefined) return;
            const { interleavings: count, distinct } = result.report;
            countInto(context, { suite: name, interleavings: count, distinct });
            explored.interleavings += count;
            explored.distinct += distinct;
          });
        }
      });
    }
    afterAll(() => {
      if (explored.interleavings > 0)
        console.log(
          `${name}: ${explored.interleavings} interleavings, ${explored.distinct} distinct`,
        );
    });
  });
}
