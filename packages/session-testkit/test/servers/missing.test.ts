import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { missingServer } from "../../src/servers/index.ts";

describe("a machine without a server", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is told what is missing and how to install it", () => {
    vi.stubEnv("PATH", "");
    expect(missingServer("redis")).toMatch(/redis-server is not installed.*apt-get.*brew/);
    expect(missingServer("redis-cluster")).toBe(missingServer("redis"));
  });

  it("skips the tests that need it, and says so at the end of the run", async () => {
    const { code, stdout } = await runWithout({ CI: "" });
    expect(stdout).toContain("1 skipped");
    expect(stdout.trimEnd().split("\n").slice(-3)).toEqual([
      expect.stringMatching(/^Not run: a suite: redis-server is not installed \(apt-get/),
      "",
      "1 passed, 0 failed, 1 skipped",
    ]);
    expect(code).toBe(0);
  });

  it("fails where CI is set", async () => {
    const { code, stdout } = await runWithout({ CI: "true" });
    expect(stdout).toContain("× needs redis");
    expect(stdout.trimEnd()).toMatch(/Not run: a suite: redis-server is .*\n\n1 passed, 1 failed$/);
    expect(code).not.toBe(0);
  });
});

/** Runs a small test file in a vitest of its own, on a machine whose PATH is empty. */
async function runWithout(env: Record<string, string>): Promise<{ code: unknown; stdout: string }> {
  const root = join(import.meta.dirname, "fixture");
  const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")),
  );
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [vitest, "run", "--root", root],
      {
        env: { ...inherited, ...env, PATH: "/nowhere", NO_COLOR: "1", FORCE_COLOR: "0" },
      },
    );
    return { code: 0, stdout };
  } catch (error) {
    if (error instanceof Error && "stdout" in error && "code" in error) {
      return { code: error.code, stdout: String(error.stdout) };
    }
    throw error;
  }
}
