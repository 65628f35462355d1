import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { SECOND } from "./support/clock.ts";
import { CountingStore } from "./support/counting-store.ts";
import { World } from "./support/world.ts";

const UNKNOWN = `${"i".repeat(32)}.${"s".repeat(43)}`;

const NAME = "__Host-kyb_session_id";

describe("an unknown token (R-05)", () => {
  it("is never adopted: the client gets a session with another id", async () => {
    const world = new World();
    const { session, setCookies } = await world.browser().request(undefined, {
      cookie: `${NAME}=${UNKNOWN}`,
    });
    expect(session.isNew).toBe(true);
    expect(session.id).not.toBe(UNKNOWN.slice(0, 32));
    expect(setCookies[0]).not.toContain(UNKNOWN.slice(0, 32));
    expect(setCookies[0]).not.toContain(UNKNOWN.slice(33));
  });

  it("is never adopted where only the secret is wrong, and ends nothing", async () => {
    const world = new World();
    const owner = await world.signedIn("alice");
    const { session } = await owner.request();
    const guess = await world.browser().request(undefined, {
      cookie: `${NAME}=${session.id}.${"s".repeat(43)}`,
    });
    expect(guess.session.userId).toBeUndefined();
    expect(guess.session.id).not.toBe(session.id);
    expect((await owner.request()).session.userId).toBe("alice");
  });

  it("raises an event at most once a second, which says how many there were", async () => {
    const world = new World({ create: "write" });
    const scanner = world.browser({ remoteAddress: "198.51.100.9" });
    const scan = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time++) await scanner.open({ cookie: `${NAME}=${UNKNOWN}` });
    };
    await scan(5);
    expect(world.events("unknown-token")).toEqual([{ ipAddress: "198.51.100.9", count: 1 }]);
    world.clock.advance(SECOND - 1);
    await scan(1);
    expect(world.events("unknown-token")).toHaveLength(1);
    world.clock.advance(1);
    await scan(1);
    expect(world.events("unknown-token")[1]).toEqual({ ipAddress: "198.51.100.9", count: 6 });
  });
});

describe("a malformed token", () => {
  it("is no token at all: the client is a newcomer, and nobody is told", async () => {
    const world = new World();
    const { session, setCookies } = await world
      .browser()
      .request(undefined, { cookie: `${NAME}=abc` });
    expect(session.isNew).toBe(true);
    expect(setCookies).toHaveLength(1);
    expect(world.events("unknown-token")).toEqual([]);
  });
});

describe("two session cookies in one request (R-18)", () => {
  for (const create of ["visit", "write"] as const) {
    it(`are served without a session, with create '${create}'`, async () => {
      const world = new World({ create });
      const browser = await world.signedIn("alice");
      const before = (await world.manager.list()).total;
      const { session, setCookies } = await browser.request(
        (current) => {
          if (create === "write") current.set("a", 1);
        },
        { cookie: `${browser.cookieHeader}; ${browser.cookieHeader}` },
      );
      expect(session).toMatchObject({ id: "", userId: undefined, state: "unsaved", isNew: false });
      expect(setCookies).toEqual([]);
      expect((await world.manager.list()).total).toBe(before);
      expect(world.events("withheld")[0]).toEqual({ reason: "duplicate-cookie", key: undefined });
    });
  }

  it("cost no store call", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ store: counting.store });
    await world.browser().open({ cookie: `${NAME}=${UNKNOWN}; ${NAME}=${UNKNOWN}` });
    expect(counting.take()).toEqual([]);
  });
});

const WITHHELD: [title: string, reason: string, headers: Record<string, string>][] = [
  ["from another site", "cross-site", { "sec-fetch-site": "cross-site" }],
  ["for an image", "subresource", { "sec-fetch-site": "same-origin", "sec-fetch-dest": "image" }],
  ["for a style", "subresource", { "sec-fetch-dest": "style" }],
  ["for a script", "subresource", { "sec-fetch-dest": "script" }],
  ["for a font", "subresource", { "sec-fetch-dest": "font" }],
  ["for a video", "subresource", { "sec-fetch-dest": "video" }],
  ["for a worker", "subresource", { "sec-fetch-dest": "worker" }],
];

for (const [title, reason, headers] of WITHHELD) {
  describe(`a request ${title} without a session cookie (R-16)`, () => {
    it("gets no session and no cookie, with an event", async () => {
      const world = new World();
      const { session, setCookies } = await world.browser().request(undefined, { headers });
      expect(session).toMatchObject({ id: "", state: "unsaved", isNew: false, isActive: false });
      expect(setCookies).toEqual([]);
      expect((await world.manager.list()).total).toBe(0);
      expect(world.events("withheld")).toEqual([{ reason, key: undefined }]);
    });

    it("keeps nothing that is set, and says so: an event at once, and a lost write at the end", async () => {
      const world = new World();
      const { session, setCookies } = await world.browser().request(
        (current) => {
          current.set("return", "/cart");
          expect(current.get("return")).toBe("/cart");
        },
        { headers },
      );
      expect(setCookies).toEqual([]);
      expect((await world.manager.list()).total).toBe(0);
      expect(world.events("withheld")[1]).toEqual({ reason, key: "return" });
      expect(world.events("lost-write")).toEqual([
        { sessionId: "", keys: ["return"], reason: "withheld", error: undefined },
      ]);
      expect(session.state).toBe("unsaved");
    });

    it("gets a session and its cookie by an explicit sign-in", async () => {
      const world = new World();
      const browser = world.browser();
      const { session, setCookies } = await browser.request(
        async (current) => {
          current.set("return", "/cart");
          await current.signIn("alice", { keep: ["return"] });
        },
        { headers },
      );
      expect(session).toMatchObject({ userId: "alice", state: "ok", isNew: true });
      expect(session.metadata).toEqual({ return: "/cart" });
      expect(setCookies).toHaveLength(1);
      expect((await browser.request()).session.userId).toBe("alice");
    });

    it("uses the session whose cookie it does bring", async () => {
      const world = new World();
      const browser = await world.signedIn("alice");
      const { session } = await browser.request(undefined, { headers });
      expect(session.userId).toBe("alice");
    });

    it("gets no session for a token that nobody knows", async () => {
      const world = new World();
      const { session, setCookies } = await world.browser().request(undefined, {
        headers,
        cookie: `${NAME}=${UNKNOWN}`,
      });
      expect(session.state).toBe("unsaved");
      expect(setCookies).toEqual([]);
    });
  });
}

describe("a request from the same site", () => {
  for (const headers of [
    { "sec-fetch-site": "same-origin", "sec-fetch-dest": "document" },
    { "sec-fetch-site": "same-site", "sec-fetch-dest": "empty" },
    { "sec-fetch-site": "none", "sec-fetch-dest": "document" },
    { "sec-fetch-site": "same-origin", "sec-fetch-dest": "iframe" },
  ]) {
    it(`gets a session: ${JSON.stringify(headers)}`, async () => {
      const { setCookies } = await new World().browser().request(undefined, { headers });
      expect(setCookies).toHaveLength(1);
    });
  }
});
