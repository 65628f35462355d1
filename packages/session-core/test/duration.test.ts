import { describe, expect, it } from "vitest";
import { describe as describeValue, parseDuration } from "../src/duration.ts";
import { DAY, HOUR, MINUTE, SECOND } from "./support/clock.ts";

describe("a duration", () => {
  for (const [given, milliseconds] of [
    [0, 0],
    [1500, 1500],
    [0.4, 0],
    [0.6, 1],
    ["250ms", 250],
    ["30s", 30 * SECOND],
    ["10m", 10 * MINUTE],
    ["24h", DAY],
    ["1.5h", 1.5 * HOUR],
    ["30d", 30 * DAY],
    ["2 days", 2 * DAY],
    ["100", 100],
  ] as const) {
    it(`reads ${JSON.stringify(given)}`, () => {
      expect(parseDuration(given, "option")).toBe(milliseconds);
    });
  }

  for (const given of [
    "",
    "h",
    "soon",
    "1h 30m",
    "-1h",
    -1,
    Number.NaN,
    Infinity,
    null,
    undefined,
    true,
    {},
    1n,
  ]) {
    it(`refuses ${typeof given} ${String(given)} and names the option`, () => {
      expect(() => parseDuration(given, "sessionTimeout")).toThrow(
        /^sessionTimeout must be milliseconds/,
      );
    });
  }
});

describe("a value in a message", () => {
  it("is short and never an object's contents", () => {
    expect(describeValue("x".repeat(1000))).toHaveLength(66);
    expect(describeValue({ password: "secret" })).toBe("an object");
    expect(describeValue(["secret"])).toBe("an array");
    expect(describeValue(() => "secret")).toBe("a function");
    expect([undefined, null, 5, true].map(describeValue)).toEqual([
      "undefined",
      "null",
      "5",
      "true",
    ]);
  });
});
