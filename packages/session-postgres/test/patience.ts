/** Repeats a check until it passes, and throws its last failure when the patience, in milliseconds, is over. */
export async function eventually<Value>(
  patience: number,
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
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The outcome of a promise, or an error that says how far it got. */
export async function within<Value>(
  patience: number,
  promise: Promise<Value>,
  found: () => string,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`After ${patience} ms: ${found()}.`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
