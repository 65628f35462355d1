import { readFile, writeFile } from "node:fs/promises";

// The core says its version in the status route. It cannot read its package.json there: Workers have no files.
const { version } = JSON.parse(await readFile("packages/session-core/package.json", "utf8"));
const file = "packages/session-core/src/version.ts";
const text = await readFile(file, "utf8");
await writeFile(file, text.replace(/VERSION: string = "[^"]*"/, `VERSION: string = "${version}"`));
