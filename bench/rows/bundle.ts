import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { spread } from "../method/statistics.ts";
import { atMost, known, number } from "../report/finding.ts";
import type { Row } from "./row.ts";

const CORE = '"@kyb/session-core"';
const USE = "globalThis.used = [new SessionManager({ store: memoryStore() })];";

/** T14: what a user of the core alone ships and loads. */
export const row: Row = {
  name: "bundle",
  targets: ["T14"],
  run: async ({ isQuick, say }) => {
    say("Bundle and import");
    const needed = await bundle(
      `import { SessionManager, memoryStore } from ${CORE}; ${USE}`,
      true,
    );
    const everything = await bundle(`export * from ${CORE};`, true);
    const readable = await bundle(`export { SessionManager, memoryStore } from ${CORE};`, false);
    const times = importTimes(readable.text, isQuick ? 7 : 25);
    const size = gzipped(needed);
    const whole = gzipped(everything);
    return {
      tables: [
        {
          title: "What is in the bundle of SessionManager and memoryStore",
          columns: ["part", "KiB minified, before gzip"],
          rows: [...needed.parts]
            .toSorted((left, right) => right[1] - left[1])
            .map(([part, bytes]) => [part, number(bytes / 1024)]),
        },
      ],
      findings: [
        atMost({
          target: "T14",
          subject: "SessionManager and memoryStore: bundled, minified, gzip",
          value: size,
          limit: 12,
          unit: "KiB",
        }),
        known(
          "T14",
          "Everything that the main door exports, the same way",
          `${number(whole)} KiB`,
          whole,
        ),
        atMost({
          target: "T14",
          subject: "Import of the bundle in a fresh process",
          value: times.median,
          spread: times,
          limit: 5,
          unit: "ms",
        }),
      ],
      notes: [],
    };
  },
};

interface Bundle {
  readonly text: string;
  /** Minified bytes, before gzip, by package. */
  readonly parts: ReadonlyMap<string, number>;
}

async function bundle(contents: string, minify: boolean): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: new URL("..", import.meta.url).pathname },
    bundle: true,
    minify,
    treeShaking: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["@kyb/source", "import"],
    write: false,
    metafile: true,
  });
  const parts = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const part = partOf(path);
      parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
    }
  }
  return { text: outputFiles[0]?.text ?? "", parts };
}

/** The package of a file; of the core, the folder. */
function partOf(path: string): string {
  const library = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (library !== undefined) return library;
  const folder = /session-core\/src\/(?:(\w+)\/)?/.exec(path);
  return folder === null ? path : `session-core/${folder[1] ?? ""}`;
}

function gzipped({ text }: Bundle): number {
  return gzipSync(text, { level: 9 }).length / 1024;
}

function importTimes(text: string, times: number): ReturnType<typeof spread> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const file = join(folder, "core.mjs");
    writeFileSync(file, text);
    const loader = new URL("../workers/import-time.mjs", import.meta.url).pathname;
    return spread(
      Array.from({ length: times }, () => Number(execFileSync(process.execPath, [loader, file]))),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
