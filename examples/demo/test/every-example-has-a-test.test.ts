import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const EXAMPLES = new URL("../..", import.meta.url);
const folders = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe("The folder examples", () => {
  it("has the examples that the documentation names", () => {
    expect(folders).toEqual(
      expect.arrayContaining([
        "demo",
        "express",
        "fetch",
        "hono",
        "koa",
        "node",
        "recipe-oidc",
        "recipe-passport",
        "two-instances",
      ]),
    );
  });
});

describe.each(folders)("The example %s", (folder) => {
  const path = fileURLToPath(new URL(`${folder}/`, EXAMPLES));

  it("has a test that is run", () => {
    expect(globSync("test/**/*.test.ts", { cwd: path })).not.toEqual([]);
    expect(existsSync(`${path}vitest.config.ts`)).toBe(true);
  });

  it("can be started, type-checked and read about", () => {
    const { private: isPrivate, scripts } = JSON.parse(readFileSync(`${path}package.json`, "utf8"));
    expect(isPrivate).toBe(true);
    expect(scripts).toMatchObject({ start: expect.any(String), typecheck: expect.any(String) });
    for (const file of ["server.ts", "README.md", "tsconfig.json"]) {
      expect(existsSync(`${path}${file}`)).toBe(true);
    }
  });
});
