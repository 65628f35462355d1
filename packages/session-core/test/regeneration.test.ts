import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Browser } from "./support/browser.ts";
import { HOUR, MINUTE, SECOND, START } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { failureOf, World } from "./support/world.ts";

describe("regenerating at once", () => {
  it("changes the secret, keeps the id, the user and the data, and extends nothing", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.set("cart", ["tea"]));
    const before = browser.token;
    world.clock.advance(HOUR);
    const { session, setCookies } = await browser.request(async (current) => {
      current.set("theme", "dark");
      await current.regenerate();
    });
    expect(setCookies).toHaveLength(1);
    expect(browser.token).not.toBe(before);
    expect(browser.token?.split(".")[0]).toBe(before?.split(".")[0]);
    const { session: next } = await browser.request();
    expect(next).toMatchObject({ id: session.id, userId: "alice", createdAt: START });
    expect(next.metadata).toEqual({ cart: ["tea"], theme: "dark" });
    expect(world.events("regenerated")).toHaveLength(1);
  });

  it("kills the old secret at once; for 60 seconds it gets nothing (F-04)", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const old = browser.copy();
    await browser.request((session) => session.regenerate());
    const { session, setCookies } = await old.request();
    expect(session).toMatchObject({ state: "unsaved", userId: undefined });
    expect(setCookies).toEqual([]);
    world.clock.advance(MINUTE);
    expect((await old.request()).session.isNew).toBe(true);
    expect((await browser.request()).session.userId).toBe("alice");
    expect(world.events("ended")).toEqual([]);
  });

  it("does nothing where there is no session", async () => {
    const { setCookies } = await new World({ create: "write" })
      .browser()
      .request((session) => session.regenerate());
    expect(setCookies).toEqual([]);
  });

  it("supersedes what other requests have under way", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const slow = await browser.open();
    await browser.request((session) => session.regenerate());
    slow.session.set("late", 1);
    expect(await failureOf(slow.session.save())).toMatchObject({
      code: "SESSION_SUPERSEDED",
      status: 409,
    });
    expect((await browser.request()).session.metadata).toEqual({});
  });
});

/** A signed-in browser whose secret is an hour old, which is when it is to be replaced. */
async function due(
  config: ConstructorParameters<typeof World>[0] = {},
): Promise<{ world: World; browser: Browser }> {
  const world = new World({ regenerateEvery: "1h", ...config });
  const browser = await world.signedIn("alice");
  world.clock.advance(HOUR);
  return { world, browser };
}

describe("regenerating by time (R-23)", () => {
  it("is off by default", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    for (let day = 0; day < 20; day++) {
      world.clock.advance(23 * HOUR);
      expect((await browser.request()).setCookies).toEqual([]);
    }
  });

  it("offers a successor when the secret is old enough, not before", async () => {
    const world = new World({ regenerateEvery: "1h" });
    const browser = await world.signedIn("alice");
    world.clock.advance(HOUR - 1);
    expect((await browser.request()).setCookies).toEqual([]);
    world.clock.advance(1);
    const before = browser.token;
    const { setCookies, session } = await browser.request();
    expect(setCookies).toHaveLength(1);
    expect(browser.token?.split(".")[0]).toBe(session.id);
    expect(browser.token).not.toBe(before);
    expect(world.events("regenerated")).toEqual([]);
  });

  it("takes place when the successor comes back, and is over then", async () => {
    const { world, browser } = await due();
    await browser.request();
    const { session, setCookies } = await browser.request();
    expect(session.userId).toBe("alice");
    expect(setCookies).toEqual([]);
    expect(world.events("regenerated")).toHaveLength(1);
    world.clock.advance(HOUR - 1);
    expect((await browser.request()).setCookies).toEqual([]);
    world.clock.advance(1);
    expect((await browser.request()).setCookies).toHaveLength(1);
  });

  it("offers the same successor again where the response was lost", async () => {
    const { world, browser } = await due();
    const lost = browser.copy();
    const first = await lost.request();
    // The browser never saw that answer, and goes on with the old secret, for as long as it likes.
    for (const wait of [0, MINUTE, 3 * HOUR]) {
      world.clock.advance(wait);
      const visit = await browser.open();
      expect(visit.session.userId).toBe("alice");
      expect(await visit.commit()).toEqual(first.setCookies);
    }
    await browser.request();
    expect((await browser.request()).session.userId).toBe("alice");
    expect(world.events("reused")).toEqual([]);
  });

  for (const kind of ["at once", "later"] as const) {
    it(`has exactly one successor for 50 requests at once, with a store that answers ${kind} (F-05)`, async () => {
      const inner = memoryStore();
      const { world, browser } = await due({
        store: kind === "at once" ? inner : new GatedStore(inner).store,
      });
      const tabs = Array.from({ length: 50 }, () => browser.copy());
      const answers = await Promise.all(
        tabs.map((tab) => tab.request((session) => session.increment("n"))),
      );
      expect(new Set(answers.map(({ setCookies }) => setCookies.join())).size).toBe(1);
      expect(new Set(tabs.map(({ token }) => token)).size).toBe(1);
      // The next 50 present it, all at once, and some late ones still come with the old secret.
      const next = await Promise.all([...tabs, browser, browser].map((tab) => tab.request()));
      for (const [index, { session, setCookies }] of next.entries()) {
        expect([session.userId, session.state]).toEqual(["alice", "ok"]);
        // A late one may be offered the same successor once more.
        const isLate = index >= tabs.length && setCookies.length > 0;
        expect(setCookies).toEqual(isLate ? answers[0]?.setCookies : []);
      }
      expect(world.events("regenerated")).toHaveLength(1);
      expect((await world.manager.list()).total).toBe(1);
      expect((await tabs[0]?.request())?.session.get("n")).toBe(50);
    });
  }

  it("never puts a secret into the store", async () => {
    const commits: string[] = [];
    const { wrappedStore } = await import("./support/wrapped-store.ts");
    const inner = memoryStore();
    const spying = wrappedStore(inner, (_method, run) => run());
    const store = {
      ...spying,
      commit: ((id, commit, call) => {
        commits.push(JSON.stringify(commit));
        return spying.commit(id, commit, call);
      }) as typeof spying.commit,
    };
    const { browser } = await due({ store });
    await browser.request();
    const successor = browser.token?.split(".")[1] ?? "none";
    await browser.request();
    expect(commits.length).toBeGreaterThan(2);
    for (const commit of commits) expect(commit).not.toContain(successor);
    expect(JSON.stringify(inner.find(browser.token?.split(".")[0] ?? ""))).not.toContain(successor);
  });
});

describe("the predecessor, once its successor has been presented", () => {
  async function inGrace(): Promise<{ world: World; browser: Browser; old: Browser }> {
    const { world, browser } = await due();
    const old = browser.copy();
    await browser.request();
    await browser.request();
    return { world, browser, old };
  }

  it("reads, writes, tracks and signs out during the grace, and gets no cookie", async () => {
    const { world, browser, old } = await inGrace();
    world.clock.advance(MINUTE - 1);
    const { session, setCookies } = await old.request((current) => {
      current.set("late", 1);
      current.track("late");
    });
    expect(session.userId).toBe("alice");
    expect(setCookies).toEqual([]);
    expect((await browser.request()).session.get("late")).toBe(1);
    await old.request((current) => current.signOut());
    expect((await browser.request()).session.state).toBe("unsaved");
  });

  it("cannot regenerate, and goes on writing all the same (F-06)", async () => {
    const { old, browser } = await inGrace();
    const { setCookies } = await old.request(async (session) => {
      expect(await failureOf(session.regenerate())).toMatchObject({ code: "SESSION_SUPERSEDED" });
      session.set("late", 1);
    });
    expect(setCookies).toEqual([]);
    const { session } = await browser.request();
    expect(session).toMatchObject({ userId: "alice", state: "ok" });
    expect(session.get("late")).toBe(1);
  });

  it("signs in with a session of its own; the other one stays", async () => {
    const { old, browser } = await inGrace();
    const { session: mine } = await browser.request();
    const { session, setCookies } = await old.request((current) => current.signIn("alice"));
    expect(session.id).not.toBe(mine.id);
    expect(setCookies).toHaveLength(1);
    expect((await browser.request()).session.id).toBe(mine.id);
  });

  it("ends the session after the grace and raises `reused` (R-23, F-06)", async () => {
    const { world, browser, old } = await inGrace();
    const { session } = await browser.request();
    world.clock.advance(MINUTE);
    const thief = await old.request();
    expect(thief.session).toMatchObject({ isNew: true, userId: undefined });
    expect(world.events("reused")).toMatchObject([{ sessionId: session.id, userId: "alice" }]);
    expect(world.events("ended")).toMatchObject([{ sessionId: session.id, reason: "reuse" }]);
    // Both are out, whoever was the thief.
    expect((await browser.request()).session).toMatchObject({
      state: "unsaved",
      userId: undefined,
    });
    expect(await world.manager.get(session.id)).toMatchObject({ endReason: "reuse" });
  });

  it("raises one event for many requests at once", async () => {
    const { world, old } = await inGrace();
    world.clock.advance(MINUTE);
    await Promise.all(Array.from({ length: 20 }, () => old.copy().request()));
    expect(world.events("reused")).toHaveLength(1);
    expect(world.events("ended")).toHaveLength(1);
  });

  it("loses its grace with a sign-in or a regeneration: it is dead at once", async () => {
    for (const change of ["signIn", "regenerate"] as const) {
      const { world, browser, old } = await inGrace();
      await browser.request((session) =>
        change === "signIn" ? session.signIn("alice") : session.regenerate(),
      );
      expect((await old.request()).session).toMatchObject({ state: "unsaved", userId: undefined });
      world.clock.advance(2 * MINUTE);
      expect((await old.request()).session).toMatchObject({ isNew: true, userId: undefined });
      expect((await browser.request()).session.userId).toBe("alice");
      expect(world.events("reused")).toEqual([]);
    }
  });

  it("has as long a grace as is configured", async () => {
    const { world, browser } = await due({ regenerationGrace: "5s" });
    const old = browser.copy();
    await browser.request();
    await browser.request();
    world.clock.advance(5 * SECOND - 1);
    expect((await old.request()).session.userId).toBe("alice");
    world.clock.advance(1);
    expect((await old.request()).session.userId).toBeUndefined();
    expect(world.events("reused")).toHaveLength(1);
  });
});

describe("a session of another transport", () => {
  it("is not regenerated by time: the client could not hear of it", async () => {
    const world = new World({ regenerateEvery: "1h", transports: ["bearer"] });
    const { token } = await world.manager.create({ userId: "alice" });
    world.clock.advance(2 * HOUR);
    const { session, setCookies } = await world
      .browser()
      .request(undefined, { headers: { authorization: `Bearer ${token}` } });
    expect(session.userId).toBe("alice");
    expect(setCookies).toEqual([]);
  });
});
