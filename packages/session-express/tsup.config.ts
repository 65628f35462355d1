import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", pure: "src/pure.ts" },
  format: ["esm", "cjs"],
  target: "es2022",
  dts: true,
  // A shared chunk would lose `export *` from other packages.
  splitting: false,
  sourcemap: true,
  clean: true,
});
