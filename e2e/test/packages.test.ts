import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const MINUTE = 60_000;

/** What `npm install` fetches for the consumer, besides the tarballs. */
const CONSUMER_DEPENDENCIES = {
  express: "5.3.0",
  koa: "3.3.0",
  hono: "4.13.19",
  "@hono/node-server": "2.1.8",
  "@types/express": "5.0.6",
  "@types/koa": "3.0.3",
  "@types/node": "24.10.1",
  "better-sqlite3": "13.2.0",
  "@types/better-sqlite3": "9.6.0",
  ioredis: "6.0.0",
  pg: "8.23.1",
  "@types/pg": "8.23.1",
  redis: "6.3.1",
  typescript: "6.0.3",
};

describe("the packages as a stranger gets them", () => {
  let folder: string;
  let tarballs: Map<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kyb-packages-"));
    tarballs = await packAll(folder);
    await installConsumer(folder, tarballs);
  }, 6 * MINUTE);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    "pass publint and are typed rightly for every way of importing them",
    async () => {
      for (const tarball of tarballs.values()) {
        await run(join(root, "node_modules/.bin/publint"), ["--strict", tarball], { cwd: root });
        await run(join(root, "node_modules/.bin/attw"), ["--profile", "node16", tarball], {
          cwd: root,
        });
      }
    },
    3 * MINUTE,
  );

  it("hold no source, no test and no word of the workspace", async () => {
    for (const [name, tarball] of tarballs) {
      const { stdout } = await run("tar", ["-tzf", tarball]);
      const files = stdout.trim().split("\n");
      expect(files, name).toContain("package/LICENSE");
      expect(files, name).toContain("package/README.md");
      expect(files.filter((file) => /\/(?:src|test)\//.test(file), name)).toEqual([]);
      const manifest = await run("tar", ["-xzOf", tarball, "package/package.json"]);
      expect(manifest.stdout, name).not.toMatch(/workspace:|@kyb\/source/);
    }
  });

  it("bring the statements of the tables for those who migrate with a tool of their own", async () => {
    const tarball = tarballs.get("@kyb/session-postgres") ?? "";
    const { stdout } = await run("tar", ["-xzOf", tarball, "package/sql/postgres.sql"]);
    expect(stdout).toMatch(/CREATE TABLE .*kyb_session/);
  });

  it.each(["consumer.mjs", "consumer.cjs"])(
    "serve Express, Koa, Hono and node:http, and keep sessions in SQLite, from %s",
    async (file) => {
      const { stdout } = await run(process.execPath, [file], { cwd: folder });
      expect(JSON.parse(stdout)).toEqual({
        ...{ express: 2, koa: 2, hono: 2, node: 2, fetch: 2, sqlite: 2 },
        ...{ redis: "INVALID_CONFIG", postgres: "INVALID_CONFIG" },
      });
    },
    MINUTE,
  );

  // The libraries' own declarations are not checked: those of Koa do not fit those of a package that it uses.
  it.each(["tsconfig.json", "tsconfig.cjs.json"])(
    "type-check in a strict program against Express, Koa, Hono and the stores' drivers (%s)",
    async (config) => {
      await run(join(folder, "node_modules/.bin/tsc"), ["-p", config], { cwd: folder });
    },
    MINUTE,
  );
});

async function packAll(target: string): Promise<Map<string, string>> {
  await run("npx", ["-y", "pnpm@12.21.0", "build"], { cwd: root, maxBuffer: 1e8 });
  const packed = new Map<string, string>();
  for (const name of await readdir(join(root, "packages"))) {
    const cwd = join(root, "packages", name);
    const manifest = JSON.parse(await readFile(join(cwd, "package.json"), "utf8"));
    if (manifest.private === true) continue;
    await run("npx", ["-y", "pnpm@12.21.0", "pack", "--pack-destination", target], { cwd });
    packed.set(manifest.name, join(target, `kyb-${name}-${manifest.version}.tgz`));
  }
  return packed;
}

async function installConsumer(target: string, tarballs: Map<string, string>): Promise<void> {
  const files = [...tarballs].filter(([name]) => name !== "@kyb/session-testkit");
  const dependencies = {
    ...CONSUMER_DEPENDENCIES,
    ...Object.fromEntries(files.map(([name, tarball]) => [name, `file:${tarball}`])),
  };
  await cp(join(root, "e2e/consumer"), target, { recursive: true });
  await writeFile(join(target, "package.json"), JSON.stringify({ private: true, dependencies }));
  await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: target });
}
