import { describe, expect, it } from "vitest";
import type { ResolvedConfig } from "../src/config.ts";
import { SessionManager } from "../src/manager.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import { DAY, HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

interface Case {
  /** Path in what is given, and in the result unless `at` says otherwise. */
  readonly option: string;
  readonly at?: string;
  readonly fallback: unknown;
  readonly good: readonly (readonly [given: unknown, resolved: unknown])[];
  readonly bad: readonly unknown[];
}

const NO_DURATIONS = [
  "soon",
  "",
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  true,
  {},
  [],
  "1 lightyear",
];
const NO_POSITIVE_DURATIONS = [0, "0s", 0.3, ...NO_DURATIONS];
/** More than a timer can wait. */
const TOO_LONG = ["25d", 2 ** 31];
const noCounts = (least: number, most: number): unknown[] => [
  least - 1,
  most + 1,
  1.5,
  Number.NaN,
  "100",
  true,
  {},
];

const redact = (): undefined => undefined;
const yes = (): boolean => true;

const CASES: readonly Case[] = [
  {
    option: "sessionTimeout",
    fallback: DAY,
    good: [["30m", 30 * MINUTE], [1234, 1234], ["1.5h", 1.5 * HOUR]],
    bad: NO_POSITIVE_DURATIONS,
  },
  {
    option: "absoluteTimeout",
    fallback: 30 * DAY,
    good: [["2d", 2 * DAY], ["1y", 365.25 * DAY]],
    bad: NO_POSITIVE_DURATIONS,
  },
  {
    option: "cleanupInterval",
    fallback: HOUR,
    good: [["5m", 5 * MINUTE], [0, 0], ["24d", 24 * DAY]],
    bad: [...NO_DURATIONS, ...TOO_LONG],
  },
  { option: "maxSessions", fallback: 1000, good: [[1, 1], [5_000_000, 5_000_000]], bad: noCounts(1, 2 ** 53) },
  { option: "sessionIdLength", fallback: 32, good: [[22, 22], [64, 64]], bad: noCounts(22, 64) },
  { option: "cookie.name", fallback: "kyb_session_id", good: [["sid", "sid"]], bad: ["", "a b", 5] },
  { option: "cookie.secure", fallback: "auto", good: [[true, true], [false, false]], bad: ["yes", 1] },
  { option: "cookie.httpOnly", fallback: true, good: [[false, false]], bad: ["no", 0] },
  { option: "cookie.sameSite", fallback: "strict", good: [["lax", "lax"]], bad: ["Lax", true] },
  { option: "cookie.path", fallback: "/", good: [["/shop", "/shop"]], bad: ["shop", 1] },
  { option: "cookie.domain", fallback: undefined, good: [["shop.example", "shop.example"]], bad: [".a", 1] },
  { option: "cookie.partitioned", fallback: false, good: [[true, true]], bad: ["x"] },
  { option: "cookie.maxAge", fallback: undefined, good: [["7d", 7 * DAY], ["absolute", "absolute"]], bad: [999, "x"] },
  {
    option: "publicUrl",
    fallback: undefined,
    good: [["https://shop.example/a?b", "https://shop.example"], ["http://localhost:3000", "http://localhost:3000"]],
    bad: ["shop.example", "ftp://shop.example", "", 5, {}],
  },
  { option: "enableMetrics", fallback: true, good: [[false, false]], bad: ["false", 0] },
  { option: "trackUserActivity", fallback: true, good: [[false, false]], bad: ["no", 1] },
  { option: "activity.limit", fallback: 1000, good: [[1, 1]], bad: noCounts(1, 1_000_000) },
  {
    option: "activity.maxBytes",
    fallback: 256 * 2 ** 20,
    good: [["1GB", 2 ** 30], ["64 kB", 65_536], [0, 0], [1000, 1000]],
    bad: ["256", "1TB", "-1MB", -1, 1.5, {}, true],
  },
  { option: "activity.retention", fallback: undefined, good: [["7d", 7 * DAY]], bad: NO_POSITIVE_DURATIONS },
  { option: "activity.redact", fallback: undefined, good: [[redact, redact]], bad: ["x", {}, true] },
  { option: "skip", fallback: undefined, good: [[yes, yes]], bad: ["/health", true, {}] },
  { option: "passive", fallback: expect.any(Function), good: [[yes, yes]], bad: ["/poll", true, {}] },
  { option: "create", fallback: "visit", good: [["write", "write"]], bad: ["never", true] },
  { option: "provisionalTimeout", fallback: 10 * MINUTE, good: [["1m", MINUTE]], bad: NO_POSITIVE_DURATIONS },
  { option: "regenerateEvery", fallback: undefined, good: [["1h", HOUR]], bad: NO_POSITIVE_DURATIONS },
  { option: "regenerationGrace", fallback: MINUTE, good: [[0, 0], ["5s", 5 * SECOND]], bad: NO_DURATIONS },
  {
    option: "transports",
    fallback: ["cookie"],
    good: [[["bearer", "cookie"], ["bearer", "cookie"]], [["header"], ["header"]]],
    bad: [[], ["cookie", "cookie"], ["query"], "cookie", {}],
  },
  { option: "trustProxy", at: "trust", fallback: undefined, good: [[false, undefined], [1, expect.any(Function)]], bad: [true, "10.0.0.1", -1, ["0.0.0.0/0"]] },
  { option: "maxMetadataBytes", fallback: 65_536, good: [[2, 2]], bad: noCounts(2, 2 ** 31) },
  { option: "endedRetention", fallback: DAY, good: [[0, 0]], bad: NO_DURATIONS },
  { option: "maxEnded", fallback: undefined, good: [[0, 0]], bad: noCounts(0, 2 ** 31) },
  { option: "schema", fallback: undefined, good: [], bad: [{}, "schema", { "~standard": {} }, 5] },
  { option: "flushInterval", fallback: SECOND, good: [["5s", 5 * SECOND]], bad: [...NO_POSITIVE_DURATIONS, ...TOO_LONG] },
  { option: "storeTimeout", fallback: SECOND, good: [["250ms", 250]], bad: [...NO_POSITIVE_DURATIONS, ...TOO_LONG] },
  { option: "onStoreError", fallback: "fail", good: [["unavailable", "unavailable"]], bad: ["ignore", true] },
  { option: "onUserLimit", at: "userLimit.policy", fallback: undefined, good: [], bad: ["evict", true] },
  { option: "maxSessionsPerUser", at: "userLimit", fallback: undefined, good: [[3, { max: 3, policy: "evict-oldest" }]], bad: noCounts(1, 2 ** 53) },
  { option: "clock", fallback: expect.any(Object), good: [], bad: [{}, { now: 5 }, { now: () => 1 }, "utc"] },
  { option: "random", fallback: expect.any(Function), good: [], bad: [{}, 4] },
  { option: "store", fallback: undefined, good: [], bad: [{}, "redis", new Map()] },
]; // biome-ignore format: a table

for (const { option, at = option, fallback, good, bad } of CASES) {
  describe(`the option ${option}`, () => {
    it("has its default", () => {
      expect(valueAt(resolve({}), at)).toEqual(fallback);
    });

    for (const [given, resolved] of good) {
      it(`takes ${show(given)}`, () => {
        expect(valueAt(resolve(nest(option, given)), at)).toEqual(resolved);
      });
    }

    for (const value of [null, ...bad]) {
      it(`refuses ${show(value)}, naming the option, the rule and the value`, () => {
        const error = refusalOf(nest(option, value));
        expect(error).toMatchObject({ name: "SessionError", code: "INVALID_CONFIG", status: 500 });
        const { message } = error;
        expect(message.startsWith(option)).toBe(true);
        expect(message).toContain("must be");
        expect(message).toContain(`got ${shown(innermost(value))}`);
      });
    }
  });
}

describe("a configuration", () => {
  it("refuses an option that there is not, at every level", () => {
    for (const option of ["timeout", "secret", "cookie.expires", "activity.size"]) {
      expect(refusalOf(nest(option, 1)).message).toBe(`${option} is not an option.`);
    }
  });

  it("refuses a group of options that is no object", () => {
    for (const option of ["cookie", "activity"]) {
      for (const value of [null, 5, "x", true]) {
        expect(refusalOf({ [option]: value }).message).toContain(option);
      }
    }
  });

  it("treats an option that is undefined as one that was left out", () => {
    const everything = Object.fromEntries(
      CASES.filter(({ option }) => !option.includes(".")).map(({ option }) => [option, undefined]),
    );
    expect(JSON.stringify(resolve(everything))).toBe(JSON.stringify(resolve({})));
  });

  it("refuses an idle timeout beyond the absolute one", () => {
    const error = refusalOf({ sessionTimeout: "2d", absoluteTimeout: "1d" });
    expect(error.message).toContain("sessionTimeout must be at most absoluteTimeout");
    expect(resolve({ sessionTimeout: "1d", absoluteTimeout: "1d" }).sessionTimeout).toBe(DAY);
  });

  it("refuses an http publicUrl where the cookie asserts https", () => {
    const error = refusalOf({ publicUrl: "http://shop.example", cookie: { secure: true } });
    expect(error.message).toContain("publicUrl");
  });

  it("is frozen, and so are its parts", () => {
    const config = resolve({ maxSessionsPerUser: 2, transports: ["cookie", "bearer"] });
    for (const part of [
      config,
      config.cookie,
      config.activity,
      config.transports,
      config.userLimit,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("is a copy: what the caller changes later changes nothing", () => {
    const transports = ["cookie"];
    const given = {
      sessionTimeout: "1h",
      cookie: { name: "sid" },
      activity: { limit: 5 },
      transports,
    };
    const config = resolve(given);
    given.sessionTimeout = "2h";
    given.cookie.name = "other";
    given.activity.limit = 6;
    transports.push("bearer");
    expect(config.sessionTimeout).toBe(HOUR);
    expect(config.cookie.name).toBe("sid");
    expect(config.activity.limit).toBe(5);
    expect(config.transports).toEqual(["cookie"]);
  });

  it("has no limit of sessions where the store is not memory alone", () => {
    const shared = wrappedStore(memoryStore(), (_method, run) => run(), { shared: true });
    expect(new SessionManager({ store: shared }).config.maxSessions).toBeUndefined();
    expect(new SessionManager({ store: shared, maxSessions: 7 }).config.maxSessions).toBe(7);
  });

  it("tells passive requests by X-Session-Passive: 1 and Sec-Purpose: prefetch", () => {
    const { passive } = resolve({});
    const asks = (headers: Record<string, string>): boolean =>
      passive({ method: "GET", url: "/", headers: new Headers(headers) });
    expect(asks({ "x-session-passive": "1" })).toBe(true);
    expect(asks({ "sec-purpose": "prefetch" })).toBe(true);
    expect(asks({ "sec-purpose": "prefetch;prerender" })).toBe(true);
    expect(asks({ "x-session-passive": "0" })).toBe(false);
    expect(asks({})).toBe(false);
  });
});

function resolve(config: object): ResolvedConfig {
  return new SessionManager(config).config;
}

function refusalOf(config: object): Error {
  try {
    resolve(config);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`It was accepted: ${JSON.stringify(config)}`);
}

function nest(option: string, value: unknown): object {
  const [first = "", second] = option.split(".");
  return { [first]: second === undefined ? value : { [second]: value } };
}

function valueAt(config: ResolvedConfig, path: string): unknown {
  let value: unknown = config;
  for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

/** Lists are refused by their first wrong item, where there is one. */
function innermost(value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 1) return value;
  return value[0];
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return value !== null && typeof value === "object" ? "an object" : String(value);
}

function show(value: unknown): string {
  return typeof value === "function" ? "a function" : (JSON.stringify(value) ?? String(value));
}
