import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";

/** Bytes in use by this process. */
export interface MemoryUse {
  /** JavaScript objects and array buffers. */
  readonly heap: number;
  /** What the system says. */
  readonly rss: number;
  /** Of that, V8's young generation: 134 MB once there has been some traffic, however many sessions there are. */
  readonly young: number;
}

/** What is in use when nothing is left to collect. */
export async function settledMemory(): Promise<MemoryUse> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("The worker needs --expose-gc.");
  for (let round = 0; round < 3; round++) {
    gc();
    await pause(50);
  }
  return memoryNow();
}

/** What is in use, garbage included. */
export function memoryNow(): MemoryUse {
  const { heapUsed, external, rss } = process.memoryUsage();
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  return { heap: heapUsed + external, rss, young: space?.physical_space_size ?? 0 };
}

/** Garbage collection while something ran; milliseconds. */
export interface Collections {
  readonly total: number;
  readonly longest: number;
  readonly count: number;
}

export async function collectionsDuring(work: () => Promise<void>): Promise<Collections> {
  const pauses: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pauses.push(duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  await work();
  // What was observed arrives behind the event loop's turn.
  await pause(20);
  observer.disconnect();
  return {
    total: pauses.reduce((sum, each) => sum + each, 0),
    longest: Math.max(0, ...pauses),
    count: pauses.length,
  };
}
