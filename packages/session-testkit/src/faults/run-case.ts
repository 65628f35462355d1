import { FaultBench } from "./bench.ts";
import type { FaultCase, FaultHarness, FaultTarget } from "./harness.ts";

/** What became of one case. */
export interface FaultCaseResult {
  readonly name: string;
  /** How often something was broken. */
  readonly faults: number;
  /** What went wrong; undefined: nothing. */
  readonly error?: unknown;
}

/**
 * Runs cases against a store without registering tests, one after the other. For those who want to see their own broken
 * store rejected.
 */
export async function runFaultCases<Target extends FaultTarget>(
  harness: FaultHarness<Target>,
  cases: readonly FaultCase<Target>[],
): Promise<FaultCaseResult[]> {
  const results: FaultCaseResult[] = [];
  for (const each of cases) results.push(await runFaultCase(harness, each));
  return results;
}

/** Runs one case; what it throws is in the result. */
export async function runFaultCase<Target extends FaultTarget>(
  harness: FaultHarness<Target>,
  each: FaultCase<Target>,
): Promise<FaultCaseResult> {
  const { name } = each;
  const bench = await FaultBench.open(harness);
  let error: unknown;
  try {
    await each.run(bench);
    bench.verdict();
  } catch (thrown) {
    error = thrown;
  }
  const { faults } = bench;
  try {
    await bench.close();
  } catch (thrown) {
    // What the case has to say comes first: a store that broke in its middle may well not close.
    error ??= thrown;
  }
  return { name, faults, ...(error === undefined ? {} : { error }) };
}
