import { expect } from "vitest";
import { codeOf } from "../bench.ts";
import { idOf, settingsOf } from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const lifeSpanCases: readonly StoreCase[] = inTopic("life span", [
  {
    name: "the store says what it can do",
    async run(bench) {
      const { capabilities } = bench.store;
      expect(String(capabilities.name)).toMatch(/^[\w-]+$/);
      expect(typeof capabilities.name).toBe("string");
      for (const flag of ["durable", "shared", "atomic", "userIndex", "immediate"] as const) {
        expect(typeof capabilities[flag], flag).toBe("boolean");
      }
      expect(capabilities.sweepInterval ?? 1).toBeGreaterThan(0);
    },
  },
  {
    name: "a second manager may attach: what the store holds stays, and the latest settings count",
    async run(bench) {
      await bench.create("a");
      bench.store.attach(settingsOf(() => bench.now, { activityLimit: 2 }));
      for (let count = 0; count < 3; count++) await bench.request(idOf("a"));
      expect((await bench.timeline(idOf("a"))).entries).toHaveLength(2);
    },
  },
  {
    name: "closing twice is closing once",
    async run(bench) {
      await bench.create("a");
      await bench.store.close();
      expect(await codeOf(() => bench.store.close())).toBe("no error");
    },
  },
]);
