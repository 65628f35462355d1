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
