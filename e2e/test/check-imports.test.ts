import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkImports, readSources } from "../../scripts/check-imports.ts";

const doors = new Map([
  ["session-core", [".", "./store", "./package.json"]],
  ["session-node", ["."]],
  ["session-express", ["."]],
]);

/** What is said about files, given by their path below `packages`, each as `path:line: sentence`. */
function check(files: Record<string, string>): string[] {
  const all = new Map(Object.entries(files).map(([path, text]) => [`packages/${path}`, text]));
  return checkImports({ files: all, doors }).map(
    ({ file, line, sentence }) => `${file.slice("packages/".length)}:${line}: ${sentence}`,
  );
}

describe("the rule about imports", () => {
  it("has nothing to say about this repository", () => {
    const sources = readSources(fileURLToPath(new URL("../..", import.meta.url)));
    expect(sources.files.size).toBeGreaterThan(10);
    expect(checkImports(sources)).toEqual([]);
  });

  it("accepts what the arrows allow", () => {
    expect(
      check({
        "session-core/src/index.ts": 'import { a } from "./a.ts";\nimport { parse } from "bowser";',
        "session-core/src/a.ts": 'import { sha256 } from "@noble/hashes/sha2.js";',
        "session-node/src/index.ts":
          'import http from "node:http";\nexport * from "@kyb/session-core";',
        "session-express/src/index.ts":
          'import { session } from "@kyb/session-node";\nimport type { Request } from "express";\nimport manifest from "../package.json" with { type: "json" };',
        "session-redis/src/index.ts": 'import { RECORD_VERSION } from "@kyb/session-core/store";',
        "session-dashboard/src/page.ts": 'import type { Page } from "@kyb/session-core";',
      }),
    ).toEqual([]);
  });

  it("refuses Node in the core, in every form of import", () => {
    const forms = [
      'import fs from "node:fs";',
      'import "node:fs";',
      'import type { Stats } from "node:fs";',
      'export { readFile } from "node:fs";',
      'const fs = await import("node:fs");',
      'type Stats = import("node:fs").Stats;',
      'import fs = require("node:fs");',
      'const fs = require("node:fs");',
    ];
    for (const form of forms) {
      const [said = "", ...more] = check({ "session-core/src/a.ts": `// one\n\n${form}` });
      expect(said).toContain('session-core/src/a.ts:3: "node:fs" is not among what session-core');
      expect(more).toEqual([]);
    }
  });

  it("is not misled by comments and strings", () => {
    expect(
      check({ "session-core/src/a.ts": '// import "fs";\nconst text = \'import "node:fs"\';' }),
    ).toEqual([]);
  });

  it("refuses an adapter in a store, a store in an adapter, an adapter in an adapter", () => {
    const said = check({
      "session-redis/src/a.ts": 'import { session } from "@kyb/session-express";',
      "session-koa/src/a.ts": 'import { redisStore } from "@kyb/session-redis";',
      "session-hono/src/a.ts": 'import { session } from "@kyb/session-koa";',
      "session-core/src/a.ts": 'import { session } from "@kyb/session-node";',
    });
    expect(said).toHaveLength(4);
    for (const sentence of said) expect(sentence).toContain("is not among what session-");
  });

  it("refuses what nobody listed, and every import of an unknown package", () => {
    expect(check({ "session-koa/src/a.ts": 'import _ from "lodash";' })).toEqual([
      'session-koa/src/a.ts:1: "lodash" is not among what session-koa may import: @kyb/session-core, @kyb/session-node, koa.',
    ]);
    expect(check({ "session-new/src/a.ts": 'import koa from "koa";' })).toEqual([
      'session-new/src/a.ts:1: "koa" is not among what session-new may import: nothing is listed.',
    ]);
    expect(check({ "session-koa/src/a.ts": 'import _ from "koa-extra";' })).toHaveLength(1);
  });

  it("keeps stores to the door for stores, and the dashboard to types", () => {
    const said = check({
      "session-redis/src/a.ts": 'import { SessionManager } from "@kyb/session-core";',
      "session-dashboard/src/a.ts": 'import { SessionManager } from "@kyb/session-core";',
    });
    expect(said).toHaveLength(2);
  });

  it("refuses what is not a door of the other package", () => {
    expect(
      check({
        "session-node/src/a.ts": 'import { parseToken } from "@kyb/session-core/src/token.ts";',
        "session-koa/src/a.ts": 'import { pure } from "@kyb/session-node/pure";',
      }),
    ).toEqual([
      'session-koa/src/a.ts:1: "@kyb/session-node/pure" is not a door of @kyb/session-node: its package.json exports no "./pure".',
      'session-node/src/a.ts:1: "@kyb/session-core/src/token.ts" is not a door of @kyb/session-core: its package.json exports no "./src/token.ts".',
    ]);
  });

  it("refuses a way around the doors, into tests, and out of src", () => {
    expect(
      check({
        "session-node/src/a.ts": 'import "../../session-core/src/token.ts";',
        "session-node/src/deep/b.ts": 'import "../../test/helper.ts";',
        "session-node/src/c.ts": 'import "../tsup.config.ts";',
      }),
    ).toEqual([
      'session-node/src/a.ts:1: "../../session-core/src/token.ts" reaches into another package; go through one of its doors.',
      'session-node/src/c.ts:1: "../tsup.config.ts" is outside of src.',
      'session-node/src/deep/b.ts:1: "../../test/helper.ts" is a test; src must not need its tests.',
    ]);
  });

  it("refuses a cycle of files and names its way, but not one of types", () => {
    const cycle = {
      "session-core/src/a.ts": 'import { b } from "./b.ts";',
      "session-core/src/b.ts": 'export { c } from "./deep/c.ts";',
      "session-core/src/deep/c.ts": 'import { one } from "cookie";\nimport { a } from "../a.ts";',
    };
    expect(check(cycle)).toEqual([
      'session-core/src/deep/c.ts:2: "../a.ts" closes a cycle of files (a.ts -> b.ts -> c.ts -> a.ts); what is needed as a type alone comes by "import type".',
    ]);
    const typed = { ...cycle, "session-core/src/deep/c.ts": 'import type { A } from "../a.ts";' };
    expect(check(typed)).toEqual([]);
    expect(check({ "session-core/src/a.ts": 'import "./a.ts";' })).toHaveLength(1);
  });

  it("takes two ways to one file for no cycle", () => {
    expect(
      check({
        "session-core/src/a.ts": 'import "./b.ts";\nimport "./c.ts";',
        "session-core/src/b.ts": 'import "./d.ts";',
        "session-core/src/c.ts": 'import "./d.ts";',
        "session-core/src/d.ts": "export const d = 1;",
      }),
    ).toEqual([]);
  });

  it("finds the cycle behind a part that has none", () => {
    const said = check({
      "session-core/src/a.ts": 'import "./leaf.ts";\nimport "./b.ts";',
      "session-core/src/b.ts": 'import "./leaf.ts";\nimport "./c.ts";',
      "session-core/src/c.ts": 'import "./b.ts";',
      "session-core/src/leaf.ts": "export const leaf = 1;",
    });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("(b.ts -> c.ts -> b.ts)");
  });

  it("refuses a cycle of packages, also of types", () => {
    const said = check({
      "session-core/src/a.ts": 'import type { Handle } from "@kyb/session-node";',
      "session-node/src/a.ts": 'import { SessionManager } from "@kyb/session-core";',
    });
    expect(said).toHaveLength(2);
    expect(said[1]).toContain("closes a cycle of packages (session-core -> session-node ->");
  });
});
