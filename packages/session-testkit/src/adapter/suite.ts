import { describe, it } from "vitest";
import { adapterCases } from "./cases/index.ts";
import type { AdapterHarness } from "./harness.ts";
import { runAdapterCase } from "./run-case.ts";

export { adapterCases };

/** Longest time that one case may take, milliseconds; each wait within it is bounded by itself. */
const TIMEOUT = 60_000;

/** What to change about a run of the suite. */
export interface AdapterSuiteOptions {
  /** Cases that are not run, by name, each with the reason, which the test report shows. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** Registers the whole suite as tests: one for each case, in a `describe` for each topic. */
export function adapterSuite(
  name: string,
  harness: AdapterHarness,
  { skip = {} }: AdapterSuiteOptions = {},
): void {
  for (const unknown of Object.keys(skip)) {
    if (!adapterCases.some((each) => each.name === unknown)) {
      throw new Error(`adapterSuite cannot skip "${unknown}": there is no such case.`);
    }
  }
  describe(`adapter: ${name}`, () => {
    for (const topic of new Set(adapterCases.map((each) => each.topic))) {
      describe(topic, () => {
        for (const each of adapterCases.filter((other) => other.topic === topic)) {
          it(each.name, { timeout: TIMEOUT }, async (context) => {
            const reason = skip[each.name];
            if (reason !== undefined) return context.skip(reason);
            const result = await runAdapterCase(harness, each);
            if (result.skipped !== undefined) return context.skip(result.skipped);
            if ("error" in result) throw result.error;
          });
        }
      });
    }
  });
}
