import { existsSync, globSync, readFileSync, realpathSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/**
 * What each package's src may import besides its own files: the arrows of ARCHITECTURE.md. A package's name
 * stands for all its doors, a name with a door for that door alone, `node:` for all of Node.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "session-core": [
    "@lukeed/ms",
    "@noble/hashes",
    "@standard-schema/spec",
    "bowser",
    "cookie",
    "isbot",
    "valibot",
  ],
  "session-node": ["@kyb/session-core", "node:"],
  "session-express": ["@kyb/session-core", "@kyb/session-node", "express"],
  "session-koa": ["@kyb/session-core", "@kyb/session-node", "koa"],
  "session-hono": ["@kyb/session-core", "hono"],
  "session-redis": ["@kyb/session-core/store", "redis", "ioredis"],
  "session-postgres": ["@kyb/session-core/store", "pg"],
  "session-sqlite": ["@kyb/session-core/store", "better-sqlite3", "node:sqlite"],
  // Its adapter suite is an HTTP client.
  "session-testkit": ["@kyb/session-core", "vitest", "node:"],
};

/** What a package may import with `import type` alone. */
const ALLOWED_TYPES: Readonly<Record<string, readonly string[]>> = {
  "session-dashboard": ["@kyb/session-core"],
};

const SCOPE = "@kyb/";

/** What is checked: the text of files by path (`packages/<folder>/src/...`), and each package's doors by folder. */
export interface Sources {
  readonly files: ReadonlyMap<string, string>;
  /** The keys of `exports` in package.json, such as `.` and `./store`. */
  readonly doors: ReadonlyMap<string, readonly string[]>;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly sentence: string;
}

interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** An import as an arrow, between files or between packages. */
interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly by: Import;
}

/** Every import that breaks a rule, in the order of the files. */
export function checkImports(sources: Sources): Violation[] {
  const imports = [...sources.files]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([file, text]) => importsOf(file, text));
  const forbidden = imports.flatMap((each) => {
    const sentence = each.specifier.startsWith(".")
      ? checkRelative(each)
      : checkBare(each, sources.doors);
    return sentence === undefined ? [] : [violation(each, sentence)];
  });
  return [
    ...forbidden,
    ...cycles(fileArrows(imports)).map((cycle) =>
      violation(
        cycle.by,
        `closes a cycle of files (${cycle.path.map((file) => posix.basename(file)).join(" -> ")}); what is needed as a type alone comes by "import type".`,
      ),
    ),
    ...cycles(packageArrows(imports)).map((cycle) =>
      violation(cycle.by, `closes a cycle of packages (${cycle.path.join(" -> ")}).`),
    ),
  ];
}

function violation({ file, line, specifier }: Import, says: string): Violation {
  return { file, line, sentence: `"${specifier}" ${says}` };
}

function checkRelative({ file, specifier }: Import): string | undefined {
  const root = packageRoot(file);
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith(`${root}/src/`) || target === `${root}/package.json`) return undefined;
  if (target.startsWith(`${root}/test/`)) return "is a test; src must not need its tests.";
  return target.startsWith(`${root}/`)
    ? "is outside of src."
    : "reaches into another package; go through one of its doors.";
}

function checkBare(
  { file, specifier, typeOnly }: Import,
  doors: Sources["doors"],
): string | undefined {
  const folder = folderOf(file);
  const allowed = [...(ALLOWED[folder] ?? []), ...(typeOnly ? (ALLOWED_TYPES[folder] ?? []) : [])];
  if (!allowed.some((entry) => covers(entry, specifier))) {
    return `is not among what ${folder} may import: ${allowed.join(", ") || "nothing is listed"}.`;
  }
  if (!specifier.startsWith(SCOPE)) return undefined;
  const [target = "", ...rest] = specifier.slice(SCOPE.length).split("/");
  const door = [".", ...rest].join("/");
  return doors.get(target)?.includes(door) === true
    ? undefined
    : `is not a door of ${SCOPE}${target}: its package.json exports no "${door}".`;
}

function covers(entry: string, specifier: string): boolean {
  if (specifier === entry) return true;
  if (entry.endsWith(":")) return specifier.startsWith(entry);
  // "@scope/name" and "name" are packages, a longer entry is one door.
  const isPackage = entry.split("/").length === (entry.startsWith("@") ? 2 : 1);
  return isPackage && specifier.startsWith(`${entry}/`);
}

/** Types vanish before anything runs, so a cycle of types is none. */
function fileArrows(imports: readonly Import[]): Arrow[] {
  return imports
    .filter((each) => !each.typeOnly && each.specifier.startsWith("."))
    .map((by) => ({
      from: by.file,
      to: posix.join(posix.dirname(by.file), by.specifier),
      by,
    }));
}

function packageArrows(imports: readonly Import[]): Arrow[] {
  return imports
    .filter((each) => each.specifier.startsWith(SCOPE))
    .map((by) => ({
      from: folderOf(by.file),
      to: by.specifier.slice(SCOPE.length).split("/")[0] ?? "",
      by,
    }));
}

/** One cycle for each arrow that leads back to where a walk along the arrows came from. */
function cycles(arrows: readonly Arrow[]): { path: string[]; by: Import }[] {
  const leaving = new Map<string, Arrow[]>();
  for (const arrow of arrows) leaving.set(arrow.from, [...(leaving.get(arrow.from) ?? []), arrow]);
  const found: { path: string[]; by: Import }[] = [];
  const done = new Set<string>();
  const walk = (node: string, path: string[]): void => {
    for (const arrow of leaving.get(node) ?? []) {
      const start = path.indexOf(arrow.to);
      if (start !== -1) found.push({ path: [...path.slice(start), arrow.to], by: arrow.by });
      else if (!done.has(arrow.to)) walk(arrow.to, [...path, arrow.to]);
    }
    done.add(node);
  };
  for (const node of leaving.keys()) if (!done.has(node)) walk(node, [node]);
  return found;
}

function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const { line } = source.getLineAndCharacterOfPosition(specifier.getStart(source));
    found.push({ file, line: line + 1, specifier: specifier.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      if (ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    } else if (ts.isExternalModuleReference(node)) {
      add(node.expression, false);
    } else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const loads =
        expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(expression) && expression.text === "require");
      if (loads) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function packageRoot(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

function folderOf(file: string): string {
  return file.split("/")[1] ?? "";
}

/** Reads `packages` below a folder. */
export function readSources(root: string): Sources {
  const paths = globSync("packages/*/src/**/*.{ts,tsx,mts,cts}", { cwd: root });
  const files = new Map(
    paths.map((path) => {
      const file = path.replaceAll("\\", "/");
      return [file, readFileSync(`${root}/${file}`, "utf8")] as const;
    }),
  );
  const doors = new Map<string, readonly string[]>();
  for (const path of globSync("packages/*/package.json", { cwd: root })) {
    const file = path.replaceAll("\\", "/");
    const { exports = {} } = JSON.parse(readFileSync(`${root}/${file}`, "utf8")) as {
      exports?: Record<string, unknown>;
    };
    doors.set(folderOf(file), Object.keys(exports));
  }
  return { files, doors };
}

function main(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const sources = readSources(root);
  const violations = checkImports(sources);
  for (const { file, line, sentence } of violations) console.log(`${file}:${line}: ${sentence}`);
  console.log(`${sources.files.size} files checked, ${violations.length} forbidden imports.`);
  // Nothing read means that the folders have moved, not that all is well.
  if (violations.length > 0 || sources.files.size === 0) process.exitCode = 1;
}

const [, script = ""] = process.argv;
if (existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url)) main();
