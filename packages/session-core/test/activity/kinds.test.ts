import { describe, expect, it } from "vitest";
import { type Kind, Kinds } from "../../src/activity/kinds.ts";

function use(kinds: Kinds, endpoint: string, method = "GET", statusCode = 200): Kind {
  const kind = kinds.find(endpoint, method, statusCode) ?? kinds.add(endpoint, method, statusCode);
  kind.entries++;
  return kind;
}

describe("Kinds", () => {
  it("keep each combination of endpoint, method and status once", () => {
    const kinds = new Kinds();
    const first = use(kinds, "/a");
    expect(use(kinds, "/a")).toBe(first);
    expect(use(kinds, "/a", "POST")).not.toBe(first);
    expect(use(kinds, "/a", "GET", 404)).not.toBe(first);
    expect(use(kinds, "/b")).not.toBe(first);
    expect(kinds.size).toBe(4);
    expect(kinds.get(first.number)).toBe(first);
  });

  it("forget a kind with its last entry, whatever its place among those of its endpoint", () => {
    for (let gone = 0; gone < 3; gone++) {
      const kinds = new Kinds();
      const all = [200, 201, 202].map((status) => use(kinds, "/a", "GET", status));
      use(kinds, "/a", "GET", 200 + gone);
      const target = all[gone];
      if (target === undefined) throw new Error("No such kind.");
      kinds.release(target);
      expect(kinds.find("/a", "GET", 200 + gone)).toBe(target);
      kinds.release(target);
      for (let index = 0; index < 3; index++) {
        expect(kinds.find("/a", "GET", 200 + index)).toBe(index === gone ? undefined : all[index]);
      }
      expect(kinds.size).toBe(2);
    }
  });

  it("take no more memory after a million of them than after one", () => {
    const kinds = new Kinds();
    kinds.release(use(kinds, "/first"));
    expect(kinds.bytes).toBe(0);
    for (let index = 0; index < 20_000; index++) {
      const kind = use(kinds, `/path/${index}`);
      expect(kind.number).toBeLessThan(3);
      kinds.release(kind);
    }
    expect(kinds.size).toBe(0);
    expect(kinds.bytes).toBe(0);
  });

  it("accept a limited number of kinds of one endpoint: clients may invent methods", () => {
    const kinds = new Kinds();
    for (let index = 0; index < 32; index++) {
      expect(kinds.accepts("/a")).toBe(true);
      use(kinds, "/a", `METHOD${index}`);
    }
    expect(kinds.accepts("/a")).toBe(false);
    expect(kinds.accepts("/b")).toBe(true);
  });
});
