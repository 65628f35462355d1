import { isLongForm } from "../long-form.ts";

/** How much of something is done: the first in every run, the second in the long form. */
export function effort(short: number, long: number): number {
  return isLongForm() ? long : short;
}
