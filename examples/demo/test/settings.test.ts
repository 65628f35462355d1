import { describe, expect, it } from "vitest";
import { CannotStart, readSettings } from "../settings.ts";

describe("The demo's settings", () => {
  it("have defaults, also for variables that are empty", () => {
    const defaults = { framework: "express", host: "127.0.0.1", port: 8080 };
    expect(readSettings({})).toEqual(defaults);
    expect(readSettings({ KYB_DEMO_HOST: "", HOST: "", PORT: "" })).toEqual(defaults);
  });

  it("are read from the environment", () => {
    const env = { KYB_DEMO_HOST: "koa", HOST: "::1", PORT: "0" };
    expect(readSettings(env)).toEqual({ framework: "koa", host: "::1", port: 0 });
  });

  it.each(["http", "65536", "-1", "80.5", "0x50"])("refuse the port %s", (PORT) => {
    const sentence = `PORT must be a number from 0 to 65535, got "${PORT}".`;
    expect(() => readSettings({ PORT })).toThrow(new CannotStart(sentence));
  });
});
