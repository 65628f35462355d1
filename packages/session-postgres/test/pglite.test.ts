import { PGlite } from "@electric-sql/pglite";
import { storeSuite } from "@kyb/session-testkit";
import { afterAll, beforeAll, describe } from "vitest";
import { postgresStore } from "../src/index.ts";
import { Bench } from "./harness.ts";

describe("in the same process, with one connection", () => {
  let bench: Bench;
  beforeAll(async () => {
    const pool = new PGlite();
    await postgresStore({ pool, schema: "here" }).migrate();
    bench = new Bench(pool, "here", () => pool.close());
  }, 60_000);
  afterAll(() => bench.stop());

  storeSuite("postgres, PGlite", { open: () => bench.open() }, { interleavings: 2 });
});
