import { describe, it } from "vitest";
import { countInto } from "../conformance-count.ts";
import { brokenAnswerCases } from "./cases/broken-answers.ts";
import { deathCases } from "./cases/death.ts";
import { promiseCases } from "./cases/promises.ts";
import { repetitionCases } from "./cases/repetition.ts";
import { silenceCases } from "./cases/silence.ts";
import { slownessCases } from "./cases/slowness.ts";
import { storeFaultCases } from "./cases/store.ts";
import type { FaultCase, FaultHarness, FaultTarget } from "./harness.ts";
import { runFaultCase } from "./run-case.ts";

/** Longest time that one case may take, milliseconds; each wait within it is bounded by itself. */
const TIMEOUT = 600_000;

/** What to change about a run of the suite. */
export interface FaultSuiteOptions {
  /** Cases that are not run, by name, each with the reason, which the test report shows. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** All cases for a harness: those of every network, and those of what its server can do. */
export function faultCases<Target extends FaultTarget>(
  harness: FaultHarness<Target>,
): readonly FaultCase<Target>[] {
  return [
    ...slownessCases,
    ...silenceCases,
    ...brokenAnswerCases,
    ...promiseCases,
    ...repetitionCases,
    ...(harness.crash === undefined ? [] : deathCases(harness.crash)),
    ...storeFaultCases(harness.faults ?? []),
  ];
}

/**
 * Registers the whole suite as tests: one for each case, in a `describe` for each topic. It takes about half a minute,
 * and with `KYB_TEST_LONG=1` many.
 */
export function faultSuite<Target extends FaultTarget>(
  name: string,
  harness: FaultHarness<Target>,
  { skip = {} }: FaultSuiteOptions = {},
): void {
  const cases = faultCases(harness);
  for (const unknown of Object.keys(skip)) {
    if (!cases.some((each) => each.name === unknown)) {
      throw new Error(`faultSuite cannot skip "${unknown}": there is no such case.`);
    }
  }
  const suite = `${name}: faults`;
  describe(suite, () => {
    for (const topic of new Set(cases.map((each) => each.topic))) {
      describe(topic, () => {
        for (const each of cases.filter((other) => other.topic === topic)) {
          it(each.name, { timeout: TIMEOUT }, async (context) => {
            countInto(context, { suite });
            const reason = skip[each.name];
            if (reason !== undefined) return context.skip(reason);
            const { error, faults } = await runFaultCase(harness, each);
            countInto(context, { suite, faults });
            if (error !== undefined) throw error;
          });
        }
      });
    }
  });
}
