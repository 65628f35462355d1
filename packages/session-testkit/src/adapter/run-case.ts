import { AdapterBench } from "./bench.ts";
import type { AdapterCase, AdapterHarness, AdapterTopic } from "./harness.ts";
import { PATIENCE, type Patience } from "./patience.ts";

/** What became of one case. */
export interface AdapterCaseResult {
  readonly name: string;
  readonly topic: AdapterTopic;
  /** What the adapter did wrong; undefined: nothing. */
  readonly error?: unknown;
  /** Why the case was not run. */
  readonly skipped?: string;
}

/**
 * Runs cases against an adapter without registering tests, one after the other, each with a server of its own. For
 * those who want to see their own broken adapter rejected, or to run the suite in a place of their own.
 *
 * `patience`: milliseconds that a case waits for what must happen. Default 10,000; an adapter that is known
 * to be broken is rejected sooner with less.
 */
export async function runAdapterCases(
  harness: AdapterHarness,
  cases: readonly AdapterCase[],
  { patience = PATIENCE }: { readonly patience?: Patience } = {},
): Promise<AdapterCaseResult[]> {
  const results: AdapterCaseResult[] = [];
  for (const each of cases) results.push(await runAdapterCase(harness, each, patience));
  return results;
}

/** Runs one case; what it throws is in the result. */
export async function runAdapterCase(
  harness: AdapterHarness,
  each: AdapterCase,
  patience: Patience = PATIENCE,
): Promise<AdapterCaseResult> {
  const { name, topic, needs } = each;
  const reason = needs === undefined ? undefined : harness.cannot?.[needs];
  if (reason !== undefined) return { name, topic, skipped: `${needs}: ${reason}` };
  const bench = new AdapterBench(harness, patience);
  try {
    await each.run(bench);
    return { name, topic };
  } catch (error) {
    return { name, topic, error };
  } finally {
    await bench.close();
  }
}
