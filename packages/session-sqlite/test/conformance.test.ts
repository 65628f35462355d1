import { storeSuite } from "@kyb/session-testkit";
import { afterAll } from "vitest";
import { DRIVERS, TestFolder } from "./support/files.ts";
import { sqliteHarness } from "./support/harness.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

for (const driver of DRIVERS) {
  storeSuite(`sqlite on ${driver}`, sqliteHarness(driver, folder), { interleavings: 60 });
}
