import { Child } from "../method/child.ts";
import { SERVER_CORE } from "../method/cores.ts";
import {
  type Contender,
  cpuPerOperation,
  figure,
  interleave,
  type Sample,
} from "../method/rounds.ts";
import { atMost } from "../report/finding.ts";
import type { Row } from "./row.ts";

/** T8: creation and sign-in, in memory. */
export const row: Row = {
  name: "writes",
  targets: ["T8"],
  run: async ({ pace, say }) => {
    say("Creation and sign-in");
    const contender = (name: string): Contender & { child: Child } => {
      const child = new Child(new URL("../workers/writes.ts", import.meta.url), {
        core: SERVER_CORE,
      });
      return { name, child, run: (milliseconds) => child.ask<Sample>(name, milliseconds) };
    };
    const contenders = [contender("create"), contender("signIn")];
    try {
      const samples = await interleave(contenders, { ...pace, warmUpOperations: 20_000 });
      const created = figure(samples, "create", cpuPerOperation);
      const signedIn = figure(samples, "signIn", cpuPerOperation);
      return {
        tables: [],
        findings: [
          atMost({
            target: "T8",
            subject: "Create",
            value: created.median,
            spread: created,
            limit: 4,
            unit: "µs",
          }),
          atMost({
            target: "T8",
            subject: "Sign in with regeneration",
            value: signedIn.median,
            spread: signedIn,
            limit: 5,
            unit: "µs",
          }),
        ],
        notes: [],
      };
    } finally {
      for (const { child } of contenders) await child.stop();
    }
  },
};
