import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type AdapterTopic, adapterCases, type HostAbility, type ReplyBody } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

describe("what the README says of the adapter suite", () => {
  it("counts the cases", () => {
    expect(readme).toContain(`asks it for ${adapterCases.length} things`);
  });

  it("has a row for each topic", () => {
    const topics = new Set<AdapterTopic>(adapterCases.map(({ topic }) => topic));
    for (const topic of topics) expect(readme).toMatch(new RegExp(`^\\| ${topic} +\\|`, "m"));
  });

  it("names each ability that a host may lack", () => {
    const abilities = new Set<HostAbility>(adapterCases.flatMap(({ needs }) => needs ?? []));
    expect(abilities.size).toBe(3);
    for (const ability of abilities)
      expect(readme.replaceAll("\n", " ")).toContain(`\`${ability}\``);
  });

  it("has a row for each kind of body", () => {
    const kinds: Record<ReplyBody["kind"], true> = {
      none: true,
      text: true,
      json: true,
      redirect: true,
      stream: true,
      pipe: true,
    };
    for (const kind of Object.keys(kinds))
      expect(readme).toMatch(new RegExp(`^\\| \`${kind}\` +\\|`, "m"));
  });
});
