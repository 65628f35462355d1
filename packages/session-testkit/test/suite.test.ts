import type { SessionStore } from "@kyb/session-core/store";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runStoreCases, storeCases, storeSuite } from "../src/index.ts";
import { ReferenceStore } from "./reference-store.ts";

const open = (): { store: SessionStore } => ({ store: new ReferenceStore() });
const casesOf = (topic: string) => storeCases.filter((each) => each.topic === topic);

describe("runStoreCases", () => {
  it("opens and closes a store of its own for each case", async () => {
    const opened: string[] = [];
    const harness = {
      open: () => {
        opened.push("open");
        return { ...open(), close: () => void opened.push("close") };
      },
    };
    const results = await runStoreCases(harness, casesOf("events"));
    expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
    expect(opened).toEqual(results.flatMap(() => ["open", "close"]));
  });

  it("tells a store with a clock of its own the time, before it is used and whenever it moves", async () => {
    const times: number[] = [];
    const harness = { open: () => ({ ...open(), setTime: (now: number) => void times.push(now) }) };
    await runStoreCases(harness, casesOf("expiry").slice(0, 1));
    expect(times.length).toBeGreaterThan(2);
    expect([...times].sort((left, right) => left - right)).toEqual(times);
  });

  it("skips what a store declares that it cannot do, and says so", async () => {
    class WithoutIndex extends ReferenceStore {
      override readonly capabilities = { ...new ReferenceStore().capabilities, userIndex: false };
    }
    const harness = { open: () => ({ store: new WithoutIndex() }) };
    const results = await runStoreCases(harness, casesOf("limits"));
    const skipped = results.filter((result) => result.skipped !== undefined);
    expect(skipped.length).toBeGreaterThan(5);
    expect(skipped[0]?.skipped).toBe("the store declares userIndex: false");
    expect(results.length - skipped.length).toBeGreaterThan(3);
  });

  it("reports a store that cannot be closed", async () => {
    const close = (): never => {
      throw new Error("still busy");
    };
    const [result] = await runStoreCases({ open: () => ({ ...open(), close }) }, casesOf("events"));
    expect(result?.error).toMatchObject({ message: "still busy" });
  });
});

describe("a race", () => {
  const [race] = casesOf("races");
  const explored = async (interleavings?: number): Promise<number> => {
    if (race === undefined) throw new Error("There is no race.");
    const [result] = await runStoreCases({ open }, [race], { interleavings });
    expect(result?.error).toBeUndefined();
    return result?.report?.interleavings ?? 0;
  };
  afterEach(() => vi.unstubAllEnvs());

  it("is explored as briefly as a slow store asks for", async () => {
    vi.stubEnv("KYB_TEST_LONG", "");
    expect(await explored(40)).toBe(40);
  });

  it("is explored until what it is about was seen, however few interleavings are asked for", async () => {
    vi.stubEnv("KYB_TEST_LONG", "");
    const results = await runStoreCases({ open }, casesOf("races"), { interleavings: 1 });
    const counts = results.map(({ report }) => report?.interleavings ?? 0);
    expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
    expect(Math.min(...counts)).toBe(1);
    expect(Math.max(...counts)).toBeGreaterThan(3);
    expect(Math.max(...counts)).toBeLessThan(200);
  });

  it("is explored at full length where the long form is asked for", async () => {
    vi.stubEnv("KYB_TEST_LONG", "1");
    expect(await explored(1)).toBe(710);
  });
});

describe("storeSuite", () => {
  it("refuses to skip a case that does not exist", () => {
    expect(() => storeSuite("x", { open }, { skip: { nonsense: "because" } })).toThrow(
      "there is no such case",
    );
  });

  it("explores more than 10,000 interleavings, of which some are the same", async () => {
    const { scenarios } = await import("../src/store/races/scenarios.ts");
    const total = scenarios.reduce((sum, { interleavings }) => sum + interleavings, 0);
    expect(total).toBeGreaterThan(10_100);
  });
});
