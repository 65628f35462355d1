import { setImmediate as turn } from "node:timers/promises";

/** Longest wait for anything that must happen, milliseconds. Only what is broken ever takes so long. */
export type Patience = number;

/** What the suite waits for on an adapter that is all right, on a machine that is busy. */
export const PATIENCE: Patience = 10_000;

/** What must happen did not happen. */
export class OutOfPatience extends Error {
  override readonly name = "OutOfPatience";
}

/** The outcome of a promise, or an error that says how far it got, so that no case hangs. */
export async function within<Value>(
  patience: Patience,
  promise: Promise<Value>,
  found: () => string,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new OutOfPatience(`After ${patience} ms: ${found()}.`)),
      patience,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Repeats a check until it passes, and throws its last failure when the patience is over. For what the server does
 * after the client has seen the end of the response: a client reads the last byte before the server hears that
 * it was sent, and a server learns only by and by that its client has left.
 */
export async function eventually<Value>(
  patience: Patience,
  check: () => Promise<Value>,
): Promise<Value> {
  const stopAt = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= stopAt) throw error;
    }
    // Lets the sockets have their say.
    await turn();
  }
}
