import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { spread } from "../method/statistics.ts";
import { known, number, range } from "../report/finding.ts";
import type { Row } from "./row.ts";

/** A first program with each package, as its README has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "nothing of ours": "export const nothing: number = 1;",
  "session-core": `
    import { SessionManager } from "@kyb/session-core";
    const manager = new SessionManager<{ cart: string[] }>();
    export const handler = manager.wrap(async (_, session) => Response.json(session.get("cart")));`,
  express: `
    import express from "express";
    export const app = express().get("/", (req, res) => void res.json(req.path));`,
  "express and session-express": `
    import { SessionManager, session } from "@kyb/session-express";
    import express from "express";
    const manager = new SessionManager();
    export const app = express().use(session(manager));
    app.get("/", (req, res) => void res.json(req.session.id));`,
};

const SUBJECT = "Type check of a program with the core";

/** What the types cost whoever compiles against them: the declarations that are published. */
export const row: Row = {
  name: "types",
  targets: ["T14"],
  run: async ({ isQuick, say }) => {
    say("Type checks");
    if (!existsSync(new URL("../../packages/session-express/dist/index.d.ts", import.meta.url))) {
      const why = "not measured: the declarations are not built (pnpm build)";
      return { tables: [], findings: [known("T14", SUBJECT, why)], notes: [] };
    }
    const folder = mkdtempSync(new URL("../types-", import.meta.url).pathname);
    try {
      const checks = Object.entries(PROGRAMS).map(([name, code], index) => {
        const file = join(folder, `program-${index}.ts`);
        writeFileSync(file, code);
        return { name, file, times: [] as number[], types: 0 };
      });
      // The first check compiles the compiler.
      for (const { file } of checks) check(file);
      for (let round = 0; round < (isQuick ? 3 : 7); round++) {
        for (const each of checks) {
          const { milliseconds, types } = check(each.file);
          each.times.push(milliseconds);
          each.types = types;
        }
      }
      const [nothing] = checks;
      const core = checks.find(({ name }) => name === "session-core");
      const added = spread(
        (core?.times ?? []).map((time, round) => time - (nothing?.times[round] ?? Number.NaN)),
      );
      return {
        tables: [
          {
            title: "Type check of a first program, without the libraries' own checks, ms",
            columns: ["program imports", "ms", "types made"],
            rows: checks.map(({ name, times, types }) => [
              name,
              range(spread(times)),
              number(types),
            ]),
          },
        ],
        findings: [known("T14", SUBJECT, `adds ${range(added)} ms`, added.median)],
        notes: [],
      };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

function check(file: string): { milliseconds: number; types: number } {
  const begunAt = performance.now();
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    types: ["node"],
    // Past the condition by which the workspace's own checks find the sources.
    customConditions: [],
  });
  const [problem] = ts.getPreEmitDiagnostics(program);
  if (problem !== undefined) {
    throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
  }
  return { milliseconds: performance.now() - begunAt, types: program.getTypeCount() };
}
