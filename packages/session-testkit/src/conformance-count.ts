import type { TestContext } from "vitest";

/** What one test of a conformance run tried. A reporter finds it in the test's `meta()`, under `conformance`. */
export interface ConformanceCount {
  /** Which row of the table it belongs to: `redis`, `redis: faults`. */
  readonly suite: string;
  readonly interleavings?: number;
  /** How many of the interleavings differ. */
  readonly distinct?: number;
  /** How often something was broken. */
  readonly faults?: number;
  /** Why nothing of this suite was run. */
  readonly missing?: string;
}

/**
 * Says what a test tried, for the table at the end of the run. Called again it replaces what was said before. Say it
 * before anything can fail as well, so that a failed test is in its row.
 */
export function countInto({ task }: Pick<TestContext, "task">, count: ConformanceCount): void {
  Object.assign(task.meta, { conformance: count });
}
