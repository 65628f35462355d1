import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
/** Of this run alone: another one may be under way. */
const scratch = join(root, "docs/.blocks", String(process.pid));

interface Block {
  readonly name: string;
  readonly page: string;
  readonly code: string;
}

const parsed = new Map<string, ts.SourceFile>();
const pages = (await markdownFiles()).filter((page) => !page.endsWith("CHANGELOG.md"));
const blocks = (await Promise.all(pages.map(blocksOf))).flat();
const examples = await examplePrograms();

const HOSTS = ["express", "koa", "hono", "node", "core"];

describe("the code in the documentation", () => {
  beforeAll(() => mkdir(scratch, { recursive: true }));
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it("is there", () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  const front = ["README.md", ...HOSTS.map((host) => `packages/session-${host}/README.md`)];
  it.each(front)("%s begins with one of the example programs", (page) => {
    const first = blocks.find((block) => block.page === page);
    expect(examples).toContain(first?.code.trim());
  });

  // Servers run until they are stopped: the example programs have tests of their own.
  const servers = blocks.filter(({ code }) => isServer(code) && !examples.includes(code.trim()));
  it.each(servers)("$name type-checks", async ({ name, code }) => {
    expect(typeErrors(await blockFile(name, code))).toEqual([]);
  });

  // Each one takes a compiler and a process of its own.
  // The testkit's README has a test beside it, because its programs are test files.
  const programs = blocks.filter(
    ({ code }) => !isServer(code) && !code.includes("@kyb/session-testkit"),
  );
  it.each(programs)("$name type-checks, runs, and prints what it says", async ({ name, code }) => {
    const file = await blockFile(name, code);
    expect(typeErrors(file)).toEqual([]);
    const { stdout } = await run(process.execPath, ["--conditions=@kyb/source", file], {
      timeout: 20_000,
    });
    for (const line of code.split("\n")) {
      const promised = /^console\.log\(.*\); \/\/ ([^;]+)/.exec(line)?.[1];
      if (promised !== undefined) expect(compact(stdout)).toContain(compact(promised));
    }
  });
});

describe("the pages", () => {
  it.each(pages.map((page) => ({ page: relative(root, page), path: page })))(
    "$page links to what exists",
    async ({ path }) => {
      const text = await readFile(path, "utf8");
      for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (target === undefined || /^[a-z]+:/.test(target)) continue;
        await expect(exists(resolve(dirname(path), target)), target).resolves.toBe(true);
      }
    },
  );

  it("name every option", async () => {
    const config = await readFile(join(root, "packages/session-core/src/config.ts"), "utf8");
    const text = await readFile(join(root, "docs/options.md"), "utf8");
    const declared = /export interface SessionConfig<[^{]*\{([\s\S]*?)\n\}/.exec(config)?.[1] ?? "";
    const names = [...declared.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name ?? "");
    expect(names.length).toBeGreaterThan(25);
    for (const name of names) expect(text, name).toMatch(new RegExp(`\`${name}[\`.]`));
  });

  it("name every error code and every event", async () => {
    const text = await readFile(join(root, "docs/errors.md"), "utf8");
    const errors = await readFile(join(root, "packages/session-core/src/errors.ts"), "utf8");
    const codes = [...errors.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code ?? "");
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) expect(text, code).toContain(`| \`${code}\` |`);
    const events = await readFile(join(root, "packages/session-core/src/events.ts"), "utf8");
    const declared = /export interface SessionEvents \{([\s\S]*?)\n\}/.exec(events)?.[1] ?? "";
    const names = [...declared.matchAll(/^ {2}"?([\w-]+)"?:/gm)].map(([, name]) => name ?? "");
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(text, name).toContain(`\`${name}\``);
  });
});

async function markdownFiles(): Promise<string[]> {
  const top = (await readdir(root)).filter((name) => name.endsWith(".md"));
  const folders = ["docs", "packages", "examples"].map((folder) => markdownIn(join(root, folder)));
  return [...top.map((name) => join(root, name)), ...(await Promise.all(folders)).flat()];
}

/** Goes around `node_modules`: packages of the workspace are linked there, in circles. */
async function markdownIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : markdownIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(page, "utf8");
  const name = relative(root, page);
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""], index) => ({
    name: `${name} ${index + 1}`,
    page: name,
    code,
  }));
}

async function examplePrograms(): Promise<string[]> {
  const names = await readdir(join(root, "examples"));
  const programs = names.map(async (name) => {
    const file = join(root, "examples", name, "server.ts");
    return (await exists(file)) ? (await readFile(file, "utf8")).trim() : "";
  });
  return Promise.all(programs);
}

async function blockFile(name: string, code: string): Promise<string> {
  const file = join(scratch, `${name.replaceAll(/[^\w]+/g, "-")}.ts`);
  await writeFile(file, `${code}\nexport {};\n`);
  return file;
}

function isServer(code: string): boolean {
  return /\blisten\(|\bserve\(|export default/.test(code);
}

/** Each block is a program of its own: what one declares globally must not leak into the next. */
function typeErrors(file: string): string[] {
  const { config } = ts.readConfigFile(join(root, "docs/tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, "docs"));
  const program = ts.createProgram([file], options, cachingHost(options));
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** Declarations of libraries are parsed once for all blocks: that is most of the work, and most of the memory. */
function cachingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    getSourceFile: (name, ...rest) => {
      const known = parsed.get(name);
      if (known !== undefined) return known;
      const file = host.getSourceFile(name, ...rest);
      if (file !== undefined && !name.startsWith(scratch)) parsed.set(name, file);
      return file;
    },
  };
}

function compact(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

async function exists(path: string): Promise<boolean> {
  return ts.sys.fileExists(path) || ts.sys.directoryExists(path);
}
