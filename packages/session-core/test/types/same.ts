/** True only where both types are the same, `any` and optional properties included. */
export type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles only where the condition holds. */
export function holds<_Condition extends true>(): void {
  return;
}
