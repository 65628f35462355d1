import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { RaceViolation, runStoreCases, type StoreTopic, storeCases } from "../src/index.ts";
import { brokenStores } from "./broken-stores.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

describe("the README", () => {
  const blocks = [...readme.matchAll(/```ts\n\/\/ (test\/\S+)\n([\s\S]*?)```/g)];

  it("shows no code but that of tests that run", () => {
    expect(readme.match(/```ts/g)).toHaveLength(blocks.length);
    expect(blocks.length).toBeGreaterThan(1);
  });

  for (const [, path = "", code] of blocks) {
    it(`shows ${path} as it is`, async () => {
      expect(code).toBe(await readFile(new URL(`../${path}`, import.meta.url), "utf8"));
    });
  }

  it("says what each topic proves", () => {
    const topics = new Set<StoreTopic>(storeCases.map(({ topic }) => topic));
    for (const topic of topics) expect(readme).toMatch(new RegExp(`^\\| ${topic} +\\|`, "m"));
  });

  it("shows what a race says that fails", async () => {
    const broken = brokenStores.find(({ name }) => name.startsWith("does not look at the limit"));
    if (broken === undefined) throw new Error("The broken store has another name now.");
    const name = "through the manager: no user has more sessions than allowed (F-07)";
    const race = storeCases.filter((each) => each.name === name);
    const [result] = await runStoreCases({ open: () => ({ store: broken.open() }) }, race);
    if (!(result?.error instanceof RaceViolation)) throw new Error("The race accepts the store.");
    expect(readme).toContain(`\`\`\`\n${result.error.message}\n\`\`\``);
  });
});
