import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const core = join(root, "packages/session-core");
const bun = ["linux-x64", "linux-aarch64", "darwin-x64", "darwin-aarch64"]
  .map((platform) => resolve(import.meta.dirname, `../node_modules/@oven/bun-${platform}/bin/bun`))
  .find((path) => existsSync(path));

if (bun === undefined && process.env.CI !== undefined) {
  throw new Error(
    "Bun is missing: it comes with the optional dependencies of e2e; install with them.",
  );
}
if (bun === undefined) {
  console.warn(
    "Did not run: the core's tests in Bun. There is no Bun for this platform on the registry.",
  );
}

it.skipIf(bun === undefined)(
  "the core's test files pass in Node and in Bun, the same number of tests in each",
  async () => {
    const [node, other] = [await inNode(), await inBun(bun ?? "")];
    console.log(`the core's tests: ${node} passed in Node, ${other} passed in Bun`);
    expect(node).toBeGreaterThan(100);
    expect(other).toBe(node);
  },
  5 * 60_000,
);

async function inNode(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "kyb-runtimes-"));
  const outputFile = join(folder, "report.json");
  try {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const options = ["--project", "session-core", "--reporter=json", `--outputFile=${outputFile}`];
    await run(process.execPath, [vitest, "run", ...options], { cwd: root, maxBuffer: 1e8 });
    const report: { numPassedTests: number; numTotalTests: number } = JSON.parse(
      await readFile(outputFile, "utf8"),
    );
    expect(report.numPassedTests).toBe(report.numTotalTests);
    return report.numPassedTests;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inBun(command: string): Promise<number> {
  // Bun prints its summary to standard error.
  const { stderr } = await run(command, ["test", "--conditions=@kyb/source", "test"], {
    cwd: core,
    maxBuffer: 1e8,
  });
  const count = (word: string): number =>
    Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(stderr)?.[1] ?? 0);
  expect(count("fail")).toBe(0);
  expect(count("skip")).toBe(0);
  return count("pass");
}
