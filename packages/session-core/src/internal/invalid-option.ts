import { describe } from "../duration.ts";
import { SessionError } from "../errors.ts";

/** What a wrong option is answered with: its name, the rule, and the value received. `rule` completes "must be". */
export function invalidOption(option: string, rule: string, value: unknown): SessionError {
  return new SessionError("INVALID_CONFIG", `${option} must be ${rule}, got ${describe(value)}.`);
}
