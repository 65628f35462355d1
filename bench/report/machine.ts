import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { IS_PINNED, packageSource } from "../method/child.ts";

/** Where and with what a run was made. */
export interface Machine {
  readonly date: string;
  /** Short name of the commit; with `-changed` where the work tree differs from it. */
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly node: string;
  readonly system: string;
  readonly pinned: boolean;
  readonly packages: string;
  readonly loadBefore: readonly string[];
  readonly loadAfter: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/** The load average of the last minute and of the last five. */
export function loadAverage(): readonly string[] {
  return loadavg()
    .slice(0, 2)
    .map((load) => load.toFixed(2));
}

export function describeMachine(loadBefore: readonly string[]): Machine {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    commit: commitName(),
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    system: `${type()} ${release()}`,
    pinned: IS_PINNED,
    packages:
      packageSource() === "source" ? "their sources (types stripped by Node, not bundled)" : "dist",
    loadBefore,
    loadAfter: loadAverage(),
    versions: versions(),
  };
}

function commitName(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--", "../packages") === "" ? "" : "-changed";
    return git("rev-parse", "--short", "HEAD") + changed;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    return "no-git";
  }
}

/** The versions that were installed, of everything that takes part. */
function versions(): Record<string, string> {
  const read = (file: URL): { version?: string; devDependencies?: Record<string, string> } =>
    JSON.parse(readFileSync(file, "utf8"));
  const own = read(new URL("../package.json", import.meta.url));
  const names = Object.keys(own.devDependencies ?? {}).filter(
    (name) => !name.startsWith("@types/"),
  );
  return Object.fromEntries(
    names.map((name) => {
      const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
      return [name, read(file).version ?? "?"];
    }),
  );
}
