import { describe, expect, it } from "vitest";
import { ShardedMap } from "../../src/internal/sharded-map.ts";

describe("ShardedMap", () => {
  it("keeps a value for each key, whatever the keys look like", () => {
    const map = new ShardedMap<string>();
    const keys = ["", "a", "__proto__", "constructor", "漢字", "\ud800", "x".repeat(5000)];
    for (let index = 0; index < 2000; index++) keys.push(`user-${index}@example.com`);
    for (const key of keys) map.set(key, `value of ${key}`);
    for (const key of keys) expect(map.get(key)).toBe(`value of ${key}`);
    expect(map.get("user-1")).toBeUndefined();
  });

  it("replaces and deletes a value", () => {
    const map = new ShardedMap<number>();
    map.set("a", 1);
    map.set("a", 2);
    expect(map.get("a")).toBe(2);
    map.delete("a");
    map.delete("b");
    expect(map.get("a")).toBeUndefined();
  });
});
