import { describe, expect, it } from "vitest";
import { resolveActivityQuery, resolveSessionQuery } from "../src/query.ts";
import { failureOf, World } from "./support/world.ts";

describe("a query of sessions", () => {
  it("is completed with the defaults", () => {
    expect(resolveSessionQuery({})).toEqual({
      userId: undefined,
      status: "active",
      search: undefined,
      sort: "createdAt",
      direction: "descending",
      limit: 50,
      offset: 0,
      cursor: undefined,
    });
  });

  for (const sort of ["createdAt", "lastAccessTime"] as const) {
    it(`sorts by ${sort} in both directions`, () => {
      expect(resolveSessionQuery({ sort })).toMatchObject({ sort, direction: "ascending" });
      expect(resolveSessionQuery({ sort: `-${sort}` })).toMatchObject({
        sort,
        direction: "descending",
      });
    });
  }

  it("takes the borders of limit and offset", () => {
    expect(resolveSessionQuery({ limit: 1, offset: 10_000 })).toMatchObject({
      limit: 1,
      offset: 10_000,
    });
    expect(resolveSessionQuery({ limit: 1000 }).limit).toBe(1000);
  });

  const wrong: [property: string, value: unknown][] = [
    ["userId", ""],
    ["userId", 5],
    ["userId", null],
    ["userId", ["alice"]],
    ["userId", "x".repeat(257)],
    ["status", "live"],
    ["status", null],
    ["search", ""],
    ["search", {}],
    ["sort", "name"],
    ["sort", "+createdAt"],
    ["limit", 0],
    ["limit", 1001],
    ["limit", 1.5],
    ["limit", "50"],
    ["limit", Number.NaN],
    ["offset", -1],
    ["offset", 10_001],
    ["offset", "0"],
    ["cursor", ""],
    ["cursor", 7],
    ["cursor", "x".repeat(1025)],
  ];
  for (const [property, value] of wrong) {
    it(`refuses ${property} ${JSON.stringify(value)?.slice(0, 20)} and names it`, () => {
      expect(() => resolveSessionQuery({ [property]: value })).toThrow(property);
    });
  }

  it("points to cursors where an offset goes too far", () => {
    expect(() => resolveSessionQuery({ offset: 20_000 })).toThrow("cursor");
  });

  it("refuses an offset together with a cursor", () => {
    expect(() => resolveSessionQuery({ offset: 1, cursor: "abc" })).toThrow("exclude each other");
    expect(resolveSessionQuery({ offset: 0, cursor: "abc" }).cursor).toBe("abc");
  });

  it("refuses a property that it does not know", () => {
    const query = { user: "alice" } as object;
    expect(() => resolveSessionQuery(query)).toThrow('no property "user"');
  });

  for (const property of ["userId", "status", "search", "sort", "limit", "offset", "cursor"]) {
    it(`refuses ${property} where it is there and undefined: it would list everybody`, async () => {
      const world = new World();
      const query = { [property]: undefined } as object;
      expect(await failureOf(world.manager.list(query))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`${property} is undefined`),
      });
    });
  }
});

describe("a query of a timeline", () => {
  it("is completed with the defaults", () => {
    expect(resolveActivityQuery({})).toEqual({ limit: 50, offset: 0, cursor: undefined });
  });

  it("refuses what a query of sessions has and this has not", () => {
    expect(() => resolveActivityQuery({ userId: "alice" } as object)).toThrow(
      'no property "userId"',
    );
  });

  it("refuses a property that is there and undefined", async () => {
    const world = new World();
    const { session } = await world.manager.create();
    const query = { cursor: undefined } as object;
    await expect(world.manager.activity(session.id, query)).rejects.toThrow("cursor is undefined");
  });
});
