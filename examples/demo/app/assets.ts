import { readFileSync } from "node:fs";
import type { Answer } from "./answer.ts";
import { parseUrl } from "./visitor.ts";

const TYPES: ReadonlyMap<string, string> = new Map([
  ["/style.css", "text/css; charset=utf-8"],
  ["/icon.svg", "image/svg+xml"],
]);

/** Whether a path or URL of a request names a file that needs no session. */
export function isAsset(url: string): boolean {
  return TYPES.has(parseUrl(url).pathname);
}

/** A file of the folder `assets`. */
export function asset(path: string): Answer | undefined {
  const type = TYPES.get(path);
  if (type === undefined) return undefined;
  return {
    status: 200,
    headers: { "Content-Type": type, "Cache-Control": "max-age=3600" },
    body: readFileSync(new URL(`../assets${path}`, import.meta.url), "utf8"),
  };
}
