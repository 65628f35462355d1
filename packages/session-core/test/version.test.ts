import { expect, it } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { VERSION } from "../src/version.ts";

it("the version that status shows is the package's", () => {
  expect(VERSION).toBe(manifest.version);
});
