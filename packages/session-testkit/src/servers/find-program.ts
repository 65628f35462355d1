import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is, looked for in PATH first and then in these folders, in order; undefined: nowhere. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const inPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...inPath, ...folders].map((folder) => join(folder, name)).find(isExecutable);
}

/** Where a system keeps several versions side by side, the newest first: `/usr/lib/postgresql/16/bin`, `…/15/bin`. */
export function versionFolders(parent: string, inner: string): string[] {
  try {
    const versions = readdirSync(parent).filter((name) => /^[\d.]+$/.test(name));
    versions.sort((left, right) => right.localeCompare(left, "en", { numeric: true }));
    return versions.map((version) => join(parent, version, inner));
  } catch {
    // This system keeps them elsewhere.
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there and not executable come to the same.
    return false;
  }
}
