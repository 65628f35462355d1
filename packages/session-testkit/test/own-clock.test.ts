import { runStoreCases, type StoreHarness, storeCases } from "@kyb/session-testkit";
import { expect, it } from "vitest";
import { connect } from "./own-clock-store.ts";

const harness: StoreHarness = {
  open: async () => {
    const database = await connect(); // a key prefix or a schema of its own
    return {
      store: database.store,
      setTime: (now) => database.setTime(now), // it has a clock of its own
      settle: () => database.arrived(), // its events come later than its answers
      close: () => database.drop(),
    };
  },
};

it("behaves as the contract says", async () => {
  const cases = storeCases.filter(({ topic }) => topic !== "races");
  const results = await runStoreCases(harness, cases);
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
});
