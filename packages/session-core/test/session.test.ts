import { describe, expect, it } from "vitest";
import type { Session } from "../src/session.ts";
import type { Visit } from "../src/visit.ts";
import type { Bag } from "./support/browser.ts";
import { HOUR, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";

interface Opened {
  readonly world: World;
  readonly visit: Visit<Bag>;
  readonly session: Session<Bag>;
  readonly token: string;
}

async function opened(): Promise<Opened> {
  const world = new World();
  const browser = await world.signedIn("alice");
  await browser.request((session) => session.set("cart", { items: ["tea"], note: null }));
  const visit = await browser.open();
  return { world, visit, session: visit.session, token: browser.token ?? "" };
}

/** Code without "use strict", as CommonJS applications still have it. */
function sloppy(body: string): (session: unknown) => unknown {
  return new Function("session", body) as (session: unknown) => unknown;
}

const PROPERTIES = [
  "id", "userId", "ipAddress", "userAgent", "createdAt", "lastAccessTime", "lastActivityTime",
  "requestCount", "isActive", "expiresAt", "endedAt", "endReason", "isNew", "state", "metadata",
]; // biome-ignore format: a list of names
const METHODS = [
  "get", "set", "delete", "increment", "update", "signIn", "signOut", "regenerate", "save",
  "track", "annotate", "devices", "endOther", "endOthers", "toJSON", "constructor",
]; // biome-ignore format: a list of names

describe("assigning to a session", () => {
  for (const key of [
    "cart",
    "user",
    "cookie",
    "passport",
    "__proto__",
    ...PROPERTIES,
    ...METHODS,
  ]) {
    it(`throws for ${key}, also from sloppy code, and says what to do`, async () => {
      const { session } = await opened();
      const assign = sloppy(`session[${JSON.stringify(key)}] = 1; return "silence";`);
      expect(await failureOf(() => assign(session))).toMatchObject({
        name: "SessionError",
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`session.set("${key}", value)`),
      });
    });
  }

  it("throws for a symbol", async () => {
    const { session } = await opened();
    expect(() => sloppy('session[Symbol("x")] = 1')(session)).toThrow("cannot be assigned");
  });

  it("throws for defined properties, another prototype and Object.assign", async () => {
    const { session } = await opened();
    expect(() => Object.defineProperty(session, "cart", { value: 1 })).toThrow(TypeError);
    expect(() => Object.setPrototypeOf(session, {})).toThrow(TypeError);
    expect(() => Object.assign(session, { cart: 1 })).toThrow("cannot be assigned");
    expect(Object.isExtensible(session)).toBe(false);
  });

  it("throws for an increment and a compound assignment", async () => {
    const { session } = await opened();
    expect(() => sloppy("session.views++")(session)).toThrow('session.set("views", value)');
    expect(() => sloppy("session.views += 1")(session)).toThrow('session.set("views", value)');
    expect(() => sloppy("session.cart ??= []")(session)).toThrow('session.set("cart", value)');
  });

  it("leaves everything as it was, whatever is deleted", async () => {
    const { session } = await opened();
    for (const key of [...PROPERTIES, ...METHODS]) sloppy(`delete session["${key}"]`)(session);
    expect(session.userId).toBe("alice");
    expect(session.get("cart")).toEqual({ items: ["tea"], note: null });
  });
});

describe("reading a session", () => {
  it("answers undefined for what is not there, also for the names of the language", async () => {
    const { session } = await opened();
    for (const key of ["missing", "toString", "constructor", "__proto__", "hasOwnProperty"]) {
      expect(session.get(key)).toBeUndefined();
    }
    expect((session as unknown as { cart?: unknown }).cart).toBeUndefined();
    expect((session as unknown as { then?: unknown }).then).toBeUndefined();
  });

  it("answers data that cannot be changed in place", async () => {
    const { session } = await opened();
    const cart = session.get("cart") as { items: string[] };
    expect(() => cart.items.push("coffee")).toThrow(TypeError);
    expect(() => {
      (session.metadata as Bag).cart = 1;
    }).toThrow(TypeError);
    expect(() => {
      cart.items = [];
    }).toThrow(TypeError);
    expect(session.get("cart")).toEqual({ items: ["tea"], note: null });
  });

  it("answers what was set, not what became of it", async () => {
    const { session } = await opened();
    const list = [1];
    session.set("list", list);
    list.push(2);
    expect(session.get("list")).toEqual([1]);
  });

  it("shows this request's own changes before they are stored", async () => {
    const { session } = await opened();
    session.set("n", 1);
    session.increment("n", 4);
    session.increment("views");
    session.delete("cart");
    expect(session.metadata).toEqual({ n: 5, views: 1 });
    expect(session.get("cart")).toBeUndefined();
  });

  it("knows its times", async () => {
    const { session } = await opened();
    expect(session).toMatchObject({
      createdAt: START,
      lastAccessTime: START,
      lastActivityTime: START,
      requestCount: 2,
      expiresAt: START + 24 * HOUR,
    });
  });
});

describe("writing to a session", () => {
  const wrong: [title: string, write: (session: Session<Bag>) => unknown, code: string][] = [
    ["an empty key", (session) => session.set("", 1), "INVALID_ARGUMENT"],
    ["a key that is no text", (session) => session.set(5 as never, 1), "INVALID_ARGUMENT"],
    ["the key __proto__", (session) => session.set("__proto__", {}), "INVALID_VALUE"],
    ["undefined", (session) => session.set("a", undefined), "INVALID_VALUE"],
    ["a Date", (session) => session.set("a", new Date(0)), "INVALID_VALUE"],
    ["a function", (session) => session.set("a", () => 1), "INVALID_VALUE"],
    ["an increment by NaN", (session) => session.increment("a", Number.NaN), "INVALID_VALUE"],
    ["an increment by a text", (session) => session.increment("a", "1" as never), "INVALID_VALUE"],
    ["an increment of a cart", (session) => session.increment("cart"), "INVALID_VALUE"],
    ["an update to undefined", (session) => session.update("a", () => undefined), "INVALID_VALUE"],
    [
      "an update that is asynchronous",
      (session) => session.update("a", async () => 1),
      "INVALID_VALUE",
    ],
    ["an update without a key", (session) => session.update("", () => 1), "INVALID_ARGUMENT"],
    ["a deletion without a key", (session) => session.delete(""), "INVALID_ARGUMENT"],
  ];
  for (const [title, write, code] of wrong) {
    it(`refuses ${title}, and nothing has changed`, async () => {
      const { session, visit } = await opened();
      expect(await failureOf(async () => write(session))).toMatchObject({ code });
      expect(visit.isDirty).toBe(false);
      expect(session.metadata).toEqual({ cart: { items: ["tea"], note: null } });
    });
  }

  it("lets an error of the update's function pass, and nothing has changed", async () => {
    const { session, visit } = await opened();
    const cause = new Error("the application's own");
    const update = session.update("cart", () => {
      throw cause;
    });
    expect(await failureOf(update)).toBe(cause);
    expect(visit.isDirty).toBe(false);
    session.set("a", 1);
    await session.save();
  });

  it("makes the visit dirty until it is stored", async () => {
    const { session, visit } = await opened();
    expect(visit.isDirty).toBe(false);
    session.set("a", 1);
    expect(visit.isDirty).toBe(true);
    await session.save();
    expect(visit.isDirty).toBe(false);
    await visit.commit();
    expect(visit.isDirty).toBe(false);
  });

  it("tells an increment of what another request made a text of", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.set("n", 1));
    const visit = await browser.open();
    await browser.request((session) => session.set("n", "one"));
    visit.session.increment("n");
    expect(await failureOf(visit.session.save())).toMatchObject({ code: "INVALID_VALUE" });
    expect(visit.isDirty).toBe(false);
    expect((await browser.request()).session.get("n")).toBe("one");
  });
});

describe("after the visit is finished", () => {
  it("every write throws VISIT_FINISHED and points to patch", async () => {
    const { session, visit } = await opened();
    visit.finish({ status: 200, responseSize: 0 });
    for (const write of [
      () => session.set("a", 1),
      () => session.delete("a"),
      () => session.increment("a"),
      () => session.update("a", () => 1),
      () => session.signIn("bob"),
      () => session.regenerate(),
      () => session.save(),
    ]) {
      expect(await failureOf(async () => write())).toMatchObject({
        code: "VISIT_FINISHED",
        message: expect.stringContaining("manager.patch"),
      });
    }
  });

  it("reading still works", async () => {
    const { session, visit } = await opened();
    visit.finish({ status: 200, responseSize: 0 });
    expect(session.userId).toBe("alice");
    expect(session.get("cart")).toEqual({ items: ["tea"], note: null });
  });

  it("changes that were never stored are reported as lost", async () => {
    const { world, session, visit } = await opened();
    session.set("a", 1);
    session.increment("b");
    visit.finish({ status: 200, responseSize: 0 });
    expect(world.events("lost-write")).toMatchObject([{ sessionId: session.id, keys: ["a", "b"] }]);
    expect(visit.isDirty).toBe(false);
    await visit.commit();
    expect((await world.manager.get(session.id))?.metadata).toEqual({
      cart: { items: ["tea"], note: null },
    });
  });
});

describe("showing a session (R-40)", () => {
  const shows: [title: string, show: (session: Session<Bag>) => string][] = [
    ["JSON", (session) => JSON.stringify(session)],
    ["JSON of something that holds it", (session) => JSON.stringify({ req: { session } })],
    ["its own inspection", (session) => JSON.stringify(inspected(session))],
    ["a text", (session) => String(session)],
    ["its own properties", (session) => JSON.stringify(Object.getOwnPropertyDescriptors(session))],
    ["a copy by spreading", (session) => JSON.stringify({ ...session })],
  ];
  for (const [title, show] of shows) {
    it(`as ${title} tells no token, secret or hash`, async () => {
      const { world, session, token } = await opened();
      const record = await world.store.find(session.id, { signal: new AbortController().signal });
      const shown = show(session);
      for (const secret of [token, token.split(".")[1] ?? "-", record?.state.secretHash ?? "-"]) {
        expect(shown).not.toContain(secret);
      }
    });
  }

  it("as JSON tells the public facts", async () => {
    const { session } = await opened();
    expect(JSON.parse(JSON.stringify(session))).toEqual({
      id: session.id,
      userId: "alice",
      ipAddress: "",
      userAgent: "",
      createdAt: START,
      lastAccessTime: START,
      lastActivityTime: START,
      requestCount: 2,
      isActive: true,
      expiresAt: START + 24 * HOUR,
      metadata: { cart: { items: ["tea"], note: null } },
    });
    expect(inspected(session)).toEqual((session as unknown as { toJSON(): unknown }).toJSON());
  });

  it("tells no secret in any event, error, list or status", async () => {
    const world = new World({ regenerateEvery: "1h" });
    const browser = world.browser();
    const secrets: string[] = [];
    const note = (): void => void secrets.push(browser.token?.split(".")[1] ?? "-");
    const errors: unknown[] = [];
    await browser.request();
    note();
    const slow = await browser.open();
    await browser.request((session) => session.signIn("alice"));
    note();
    slow.session.set("a", 1);
    errors.push(await failureOf(slow.session.save()));
    world.clock.advance(2 * HOUR);
    const old = browser.copy();
    await browser.request();
    await browser.request();
    note();
    world.clock.advance(HOUR / 2);
    await old.request();
    await browser.request();
    const shown = JSON.stringify([
      world.happenings,
      errors.map((error) => [(error as Error).message, (error as Error).stack, error]),
      await world.manager.list({ status: "all" }),
      await world.manager.status(),
    ]);
    expect(new Set(secrets).size).toBe(3);
    expect(world.events("reused")).toHaveLength(1);
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});

function inspected(session: Session<Bag>): unknown {
  const inspect = (session as unknown as Record<symbol, () => unknown>)[
    Symbol.for("nodejs.util.inspect.custom")
  ];
  return inspect?.call(session);
}
