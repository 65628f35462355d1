import { describe, expect, it } from "vitest";
import { CannotStart, readSettings } from "../settings.ts";

describe("The demo's settings", () => {
  it("have defaults, also for variables that are empty", () => {
    const store = { kind: "memory", url: "" };
    const defaults = { framework: "express", host: "127.0.0.1", port: 8080, store };
    expect(readSettings({})).toEqual(defaults);
    const empty = { KYB_DEMO_HOST: "", HOST: "", PORT: "", KYB_DEMO_STORE: "" };
    expect(readSettings({ ...empty, KYB_DEMO_STORE_URL: "" })).toEqual(defaults);
  });

  it("are read from the environment", () => {
    const env = { KYB_DEMO_HOST: "koa", HOST: "::1", PORT: "0", KYB_DEMO_STORE: "sqlite" };
    expect(readSettings({ ...env, KYB_DEMO_STORE_URL: "/data/shop.db" })).toEqual({
      framework: "koa",
      host: "::1",
      port: 0,
      store: { kind: "sqlite", url: "/data/shop.db" },
    });
  });

  it.each([
    ["sqlite", /kyb-demo\.db$/],
    ["redis", /^redis:\/\/127\.0\.0\.1:6379$/],
    ["postgres", /^postgres:\/\/.*127\.0\.0\.1:5432/],
  ])("know where to look for %s", (KYB_DEMO_STORE, url) => {
    expect(readSettings({ KYB_DEMO_STORE }).store.url).toMatch(url);
  });

  it("refuse a store that there is not", () => {
    const sentence = 'KYB_DEMO_STORE must be one of memory, sqlite, redis, postgres, got "mysql".';
    expect(() => readSettings({ KYB_DEMO_STORE: "mysql" })).toThrow(new CannotStart(sentence));
  });

  it.each([
    ["memory", "redis://127.0.0.1", "but KYB_DEMO_STORE is memory"],
    ["redis", "http://user:secret@127.0.0.1", "must begin with redis:// or rediss:// for redis"],
    ["postgres", "redis://user:secret@127.0.0.1", "must begin with postgres:// or postgresql://"],
  ])("refuse a URL that is not for %s, without repeating it", (KYB_DEMO_STORE, url, rule) => {
    const read = () => readSettings({ KYB_DEMO_STORE, KYB_DEMO_STORE_URL: url });
    expect(read).toThrow(rule);
    expect(read).not.toThrow("secret");
  });

  it.each(["http", "65536", "-1", "80.5", "0x50"])("refuse the port %s", (PORT) => {
    const sentence = `PORT must be a number from 0 to 65535, got "${PORT}".`;
    expect(() => readSettings({ PORT })).toThrow(new CannotStart(sentence));
  });
});
