import { defineProject, type UserProjectConfigExport } from "vitest/config";

// "@kyb/source" makes tests run from src, so that no build is needed and stack traces are readable.
const conditions = ["@kyb/source", "module", "node", "development|production"];

/** What every project of the repository has in common. */
export function project(name: string): UserProjectConfigExport {
  return defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      environment: "node",
      include: ["test/**/*.test.ts"],
      // No test waits for time to pass; a slow machine that runs them all at once may still take its time.
      // Many tests wait for servers, networks and deadlines: a worker more than there are cores keeps these busy.
      maxWorkers: 3,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  });
}
