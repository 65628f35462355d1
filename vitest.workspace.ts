import { defineConfig } from "vitest/config";

/** All tests of the repository: one project per package, example and document folder. */
export default defineConfig({
  test: {
    projects: ["packages/*", "examples/*", "docs", "e2e"],
    reporters: ["default", "./scripts/counts-reporter.ts"],
  },
});
