import { describeWithServer, runStoreCases, storeCases } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SCRIPTS, type ScriptName } from "../src/scripts.ts";
import { type Driver, drivers, harnessOf } from "./support.ts";

/** What is taken out of a script, and the beginning of a case that must notice. */
const SABOTAGES: readonly {
  readonly guard: string;
  readonly script: ScriptName;
  readonly from: string;
  readonly to: string;
  readonly rejectedBy: string;
}[] = [
  {
    guard: "the epoch",
    script: "commit",
    from: "if epoch ~= secret.epoch then",
    to: "if false then",
    rejectedBy: "a commit with another epoch answers superseded",
  },
  {
    guard: "the presented secret",
    script: "commit",
    from: "if held ~= presented then",
    to: "if false then",
    rejectedBy: "a commit that presents another secret",
  },
  {
    guard: "the memory of changes",
    script: "commit",
    from: "if word == op then",
    to: "if false then",
    rejectedBy: "the same opId again answers applied",
  },
  {
    guard: "the deadline",
    script: "commit",
    from: "if finish_if_due(r) then return nil, r end\n  return r",
    to: "return r",
    rejectedBy: "a commit to a session that is due answers gone",
  },
  {
    guard: "that what ended stays ended",
    script: "commit",
    from: "if not r or r.ended or r.bad then",
    to: "if not r or r.bad then",
    rejectedBy: "nothing brings an ended session back",
  },
  {
    guard: "the memory of batches",
    script: "track",
    from: "if sequence > 0 then",
    to: "if false then",
    rejectedBy: "the same batch again is answered and not applied",
  },
  {
    guard: "the user's limit",
    script: "create",
    from: "if call('ZCARD', index) < max then",
    to: "if true then",
    rejectedBy: "100 sign-ins at once with a limit of 5 that rejects",
  },
  {
    guard: "the event of an end",
    script: "end",
    from: "publish('ended', r, reason)",
    to: "",
    rejectedBy: "creation, sign-in, regeneration and end are heard of",
  },
];

describeWithServer("redis", "a script without its guard", (server) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await drivers["node-redis 6"](server().url);
  });
  afterAll(() => driver.close());

  for (const { guard, script, from, to, rejectedBy } of SABOTAGES) {
    it(`is rejected by the suite: ${guard}`, async () => {
      const whole = SCRIPTS[script];
      expect(whole.split(from), "the guard is there").toHaveLength(2);
      const scripts = { ...SCRIPTS, [script]: whole.replace(from, () => to) };
      const cases = storeCases.filter(({ name }) => name.startsWith(rejectedBy));
      expect(cases).toHaveLength(1);
      const [sound] = await runStoreCases(
        harnessOf(() => driver),
        cases,
      );
      expect(sound?.error, "with its guard").toBeUndefined();
      const [result] = await runStoreCases(
        harnessOf(() => driver, { scripts }),
        cases,
      );
      expect(result?.error, "without its guard").toBeDefined();
    });
  }
});
