/** Lets a timer of Node, Bun or Deno not keep the process alive; elsewhere timers are numbers and never do. */
export function unref(timer: unknown): void {
  if (
    typeof timer === "object" &&
    timer !== null &&
    "unref" in timer &&
    typeof timer.unref === "function"
  ) {
    timer.unref();
  }
}

/** Lets everybody else have a turn: a store in memory answers at once, and work in a loop would never let go. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
