import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { number, type Table } from "./finding.ts";
import { formatResults, type Results } from "./markdown.ts";

const FOLDER = new URL("../results/", import.meta.url);
/** Earlier runs shown beside today's. */
const SHOWN = 3;

/** Writes a run as JSON and as Markdown and answers the Markdown. Runs of some rows alone are not kept. */
export function writeResults(results: Results, isWhole: boolean): { text: string; path: string } {
  const text = formatResults(results, history(results));
  const { date, commit } = results.machine;
  const quick = results.mode === "quick" ? "-quick" : "";
  const name = `${date.slice(0, 10)}-${commit}${quick}${isWhole ? "" : "-partial"}`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(new URL(`${name}.json`, FOLDER), `${JSON.stringify(results, undefined, 2)}\n`);
  const file = new URL(`${name}.md`, FOLDER);
  writeFileSync(file, text);
  return { text, path: file.pathname };
}

/** The same figures in the latest runs of other commits, newest first. Machines differ, so only ratios compare. */
function history(results: Results): Table | undefined {
  const earlier = earlierResults()
    .filter(
      ({ machine, mode }) => machine.commit !== results.machine.commit && mode === results.mode,
    )
    .slice(0, SHOWN);
  if (earlier.length === 0) return undefined;
  const judged = results.findings.filter(({ value }) => value !== undefined);
  return {
    title: "Beside earlier commits",
    columns: [
      "#",
      "what",
      "now",
      ...earlier.map(({ machine }) => `${machine.commit} ${machine.date.slice(0, 10)}`),
    ],
    rows: judged.map(({ target, subject, value }) => [
      target,
      subject,
      number(value ?? Number.NaN),
      ...earlier.map(({ findings }) => {
        const same = findings.find((other) => other.target === target && other.subject === subject);
        return same?.value === undefined || same.value === null ? "" : number(same.value);
      }),
    ]),
  };
}

function earlierResults(): Results[] {
  mkdirSync(FOLDER, { recursive: true });
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json") && !name.endsWith("-partial.json"))
    .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Results)
    .toSorted((left, right) => (left.machine.date < right.machine.date ? 1 : -1));
}
