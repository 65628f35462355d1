import { describeWithServer, storeSuite } from "@kyb/session-testkit";
import { afterAll, beforeAll } from "vitest";
import { Bench } from "./harness.ts";

describeWithServer("postgres", "conformance", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());

  storeSuite("postgres", { open: () => bench.open() }, { interleavings: 40 });
});
