// In JavaScript, so that nothing but the module itself is loaded and translated.
import { pathToFileURL } from "node:url";

const file = pathToFileURL(process.argv[2]).href;
const begunAt = performance.now();
await import(file);
process.stdout.write(String(performance.now() - begunAt));
