import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Watchdog } from "./watchdog.ts";

/** A temporary folder that servers live in, and what removes both. */
export interface ServerFolder {
  readonly path: string;
  readonly watchdog: Watchdog;
}

/** Makes a folder. `signal` ends the servers in it quickly (`TERM`); `user` is whose it will be. */
export function makeFolder(
  name: string,
  signal: string,
  user?: { readonly uid: number; readonly gid: number },
): ServerFolder {
  const path = mkdtempSync(join(tmpdir(), `kyb-${name}-`));
  const watchdog = new Watchdog(signal, path);
  if (user !== undefined) chownSync(path, user.uid, user.gid);
  return { path, watchdog };
}
