import { execFileSync } from "node:child_process";

/** By number, as a process is started with it. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** A user of this machine; undefined: there is none of this name. */
export function systemUser(name: string): SystemUser | undefined {
  try {
    return { uid: idOf(name, "-u"), gid: idOf(name, "-g") };
  } catch {
    // `id` answers an unknown name with an error.
    return undefined;
  }
}

function idOf(name: string, option: "-u" | "-g"): number {
  return Number(execFileSync("id", [option, name], { encoding: "utf8", stdio: "pipe" }));
}
