import { defineConfig } from "vitest/config";

/** All tests of the repository: one project per package, example and document folder. */
export default defineConfig({
  test: {
    // Many tests wait for servers, networks and deadlines: one worker more than this asks for would leave cores idle.
    maxWorkers: 3,
    projects: ["packages/*", "examples/*", "docs", "e2e"],
    reporters: ["default", "./scripts/counts-reporter.ts"],
  },
});
