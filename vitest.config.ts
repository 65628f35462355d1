// A bare `vitest` and editors look for this name only.
export { default } from "./vitest.workspace.ts";
