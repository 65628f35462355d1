import { describe, expect, it } from "vitest";
import type { Bag } from "./support/browser.ts";
import { DAY, MINUTE, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";

const INVALID = { name: "SessionError", code: "INVALID_ARGUMENT" };

describe("create", () => {
  it("makes a session with what it is told, and its token once", async () => {
    const world = new World();
    const { session, token } = await world.manager.create({
      userId: "alice",
      ipAddress: "192.0.2.9",
      userAgent: "Job/1.0",
      metadata: { role: "admin" },
    });
    expect(session).toEqual({
      id: token.split(".")[0],
      userId: "alice",
      ipAddress: "192.0.2.9",
      userAgent: "Job/1.0",
      createdAt: START,
      lastAccessTime: START,
      lastActivityTime: START,
      requestCount: 0,
      isActive: true,
      expiresAt: START + DAY,
      endedAt: undefined,
      endReason: undefined,
      metadata: { role: "admin" },
    });
    expect(Object.isFrozen(session)).toBe(true);
    const visit = await world.browser().open({ cookie: `__Host-kyb_session_id=${token}` });
    expect(visit.session).toMatchObject({ id: session.id, userId: "alice", isNew: false });
  });

  it("makes a provisional session where nothing is known of it, and no other", async () => {
    const world = new World();
    const ends = async (init: Parameters<typeof world.manager.create>[0]): Promise<number> =>
      (await world.manager.create(init)).session.expiresAt;
    expect(await ends({})).toBe(START + 10 * MINUTE);
    expect(await ends({ metadata: {} })).toBe(START + 10 * MINUTE);
    expect(await ends({ metadata: { a: 1 } })).toBe(START + DAY);
    expect(await ends({ userId: "alice" })).toBe(START + DAY);
  });

  const wrong: [title: string, init: unknown][] = [
    ["an empty user", { userId: "" }],
    ["a user that is no text", { userId: 5 }],
    ["a user that is null", { userId: null }],
    ["a user that is too long", { userId: "x".repeat(257) }],
    ["an address that is no text", { ipAddress: 5 }],
    ["a user agent that is no text", { userAgent: {} }],
    ["a property that there is not", { user: "alice" }],
    ["a transport that is off", { transport: "bearer" }],
    ["metadata that is a list", { metadata: [1] }],
    ["metadata that is a text", { metadata: "role" }],
    ["metadata that is null", { metadata: null }],
    ["an empty key", { metadata: { "": 1 } }],
  ];
  for (const [title, init] of wrong) {
    it(`refuses ${title}, and makes nothing`, async () => {
      const world = new World();
      expect(await failureOf(world.manager.create(init as object))).toMatchObject(INVALID);
      expect((await world.manager.list({ status: "all" })).total).toBe(0);
    });
  }

  it("refuses what is no data and what is too much", async () => {
    const world = new World({ maxMetadataBytes: 20 });
    expect(await failureOf(world.manager.create({ metadata: { at: new Date(0) } }))).toMatchObject({
      code: "INVALID_VALUE",
    });
    expect(
      await failureOf(world.manager.create({ metadata: JSON.parse('{"__proto__": 1}') })),
    ).toMatchObject({ code: "INVALID_VALUE" });
    expect(
      await failureOf(world.manager.create({ metadata: { a: "x".repeat(20) } })),
    ).toMatchObject({ code: "METADATA_TOO_LARGE" });
    expect((await world.manager.list()).total).toBe(0);
  });
});

describe("a schema", () => {
  const schema = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => {
        const { age } = value as { age?: unknown };
        const isMissing = age === undefined;
        return isMissing || typeof age !== "number" || age < 0
          ? {
              issues: [
                {
                  message: isMissing ? "age is missing" : "age must not be negative",
                  path: ["age"],
                },
              ],
            }
          : { value: value as Bag };
      },
    },
  };

  it("refuses a value that it does not allow, everywhere that values come in", async () => {
    const world = new World({ schema });
    const browser = world.browser();
    await browser.request(async (session) => {
      for (const write of [
        () => session.set("age", -1),
        () => session.update("age", () => "old"),
        () => session.signIn("alice", { metadata: { age: -1 } }),
        () => world.manager.patch(session.id, { age: -1 }),
        () => world.manager.create({ metadata: { age: -1 } }),
      ]) {
        expect(await failureOf(async () => write())).toMatchObject({
          code: "INVALID_VALUE",
          message: expect.stringContaining('The schema refuses "age"'),
        });
      }
      session.set("age", 5);
    });
    expect((await browser.request()).session.metadata).toEqual({ age: 5 });
  });

  it("does not blame one key for another that is still missing", async () => {
    const browser = new World({ schema }).browser();
    await browser.request((session) => session.set("name", "Alice"));
    expect((await browser.request()).session.get("name")).toBe("Alice");
  });

  it("must answer synchronously", async () => {
    const slow = { "~standard": { ...schema["~standard"], validate: async () => ({ value: {} }) } };
    const visit = await new World({ schema: slow }).browser().open();
    expect(() => visit.session.set("a", 1)).toThrow("synchronously");
  });
});
