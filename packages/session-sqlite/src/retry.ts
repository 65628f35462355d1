import type { StoreCall } from "@kyb/session-core/store";
import { isBusy } from "./driver-errors.ts";

/** Longest pause between two tries, milliseconds. */
const LONGEST = 16;

/**
 * Tries again and again what others keep from being done at once, until it works, fails otherwise, or the caller no
 * longer waits; then it throws the last `SQLITE_BUSY`. It waits in timers, not in SQLite, where waiting stops the whole
 * process. Nothing is tried after the caller has gone: it was told that nothing happened.
 */
export async function retryBusy<Result>(
  { signal }: StoreCall,
  busy: unknown,
  attempt: () => Result,
): Promise<Result> {
  let last = busy;
  for (let longest = 1; ; longest = Math.min(2 * longest, LONGEST)) {
    // Processes that were turned away together do not come back together.
    await pause(longest * (0.5 + Math.random() / 2), signal);
    if (signal.aborted) throw last;
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      last = error;
    }
  }
}

/** Ends early when the caller goes. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
