import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { SessionRecord } from "../src/record.ts";
import type { SessionStore } from "../src/store.ts";
import type { Browser } from "./support/browser.ts";
import { HOUR } from "./support/clock.ts";
import { GatedStore } from "./support/gated-store.ts";
import { liveStore } from "./support/live-store.ts";
import { snapshotOf } from "./support/records.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

interface Gated {
  readonly world: World;
  readonly gates: GatedStore;
}

/** A world whose store answers later and can be held up at any call. */
function gatedWorld(
  config: ConstructorParameters<typeof World>[0] = {},
  store: SessionStore = memoryStore(),
): Gated {
  const gates = new GatedStore(store);
  return { world: new World({ store: gates.store, storeTimeout: "1m", ...config }), gates };
}

describe("a request under way during a sign-in (F-04)", () => {
  async function planted(
    config: ConstructorParameters<typeof World>[0] = {},
    store: SessionStore = memoryStore(),
  ): Promise<Gated & { victim: Browser; attacker: Browser }> {
    const { world, gates } = gatedWorld(config, store);
    const victim = world.browser();
    await victim.request((session) => session.set("cart", ["tea"]));
    return { world, gates, victim, attacker: victim.copy() };
  }
  const login = (browser: Browser) =>
    browser.request((session) =>
      session.signIn("alice", { keep: true, metadata: { role: "admin" } }),
    );

  it("writes nothing, gets no cookie and never sees the user", async () => {
    const { world, victim, attacker } = await planted();
    const slow = await attacker.open();
    const { session } = await login(victim);
    slow.session.set("cart", ["bomb"]);
    slow.session.set("isAdmin", true);
    const { setCookies } = await attacker.answer(slow);
    expect(setCookies).toEqual([]);
    expect(slow.session.userId).toBeUndefined();
    expect(slow.session.get("role")).toBeUndefined();
    expect((await victim.request()).session.metadata).toEqual({ cart: ["tea"], role: "admin" });
    expect(world.events("superseded")).toEqual([{ sessionId: session.id }]);
    expect(world.events("lost-write")).toMatchObject([
      { keys: ["cart", "isAdmin"], reason: "superseded", error: { code: "SESSION_SUPERSEDED" } },
    ]);
    expect((await world.manager.metrics()).conflictsPrevented.superseded).toBe(1);
  });

  it("cannot sign in over it, regenerate it, update it or end it", async () => {
    for (const attempt of ["signIn", "regenerate", "update", "signOut"] as const) {
      const { victim, attacker } = await planted();
      const slow = await attacker.open();
      await login(victim);
      const { session } = slow;
      const action = {
        signIn: () => session.signIn("mallory"),
        regenerate: () => session.regenerate(),
        update: () => session.update("cart", () => []),
        signOut: () => session.signOut(),
      }[attempt];
      expect(await failureOf(action())).toMatchObject({ code: "SESSION_SUPERSEDED", status: 409 });
      expect((await attacker.answer(slow)).setCookies).toEqual([]);
      expect((await victim.request()).session).toMatchObject({ userId: "alice", state: "ok" });
    }
  });

  it("cannot end it by signing in as somebody else", async () => {
    const { world } = gatedWorld();
    const victim = await world.signedIn("alice");
    const attacker = victim.copy();
    const slow = await attacker.open();
    const { session } = await victim.request((current) => current.signIn("alice"));
    await slow.session.signIn("mallory");
    expect(slow.session.id).not.toBe(session.id);
    expect((await victim.request()).session).toMatchObject({ userId: "alice", id: session.id });
  });

  it("throws on every later write of the same handle", async () => {
    const { victim, attacker } = await planted();
    const slow = await attacker.open();
    await login(victim);
    slow.session.set("a", 1);
    expect(await failureOf(slow.session.save())).toMatchObject({ code: "SESSION_SUPERSEDED" });
    expect(await failureOf(() => slow.session.set("a", 1))).toMatchObject({
      code: "SESSION_SUPERSEDED",
    });
    for (const change of [() => slow.session.regenerate(), () => slow.session.signOut()]) {
      expect(await failureOf(change())).toMatchObject({ code: "SESSION_SUPERSEDED" });
    }
  });

  it("has no devices of the user to see or to end", async () => {
    const { world, victim, attacker } = await planted({}, liveStore(memoryStore()));
    const slow = await attacker.open();
    await login(victim);
    const other = await world.signedIn("alice");
    const { items } = await slow.session.devices();
    expect(items.map(({ userId }) => userId)).toEqual([undefined]);
    expect(JSON.stringify(items)).not.toContain("admin");
    expect(await slow.session.endOthers()).toBe(0);
    expect(await slow.session.endOther(other.token?.split(".")[0] ?? "")).toBe(false);
    expect((await other.request()).session.userId).toBe("alice");
  });

  for (const [kind, storeOf] of [
    ["answers copies", memoryStore],
    ["answers records that move on", () => liveStore(memoryStore())],
  ] as const) {
    for (const write of ["save", "update"] as const) {
      it(`never sees the user right after its own ${write}, with a store that ${kind}`, async () => {
        const { gates, victim, attacker } = await planted({}, storeOf());
        const slow = await attacker.open();
        slow.session.set("note", 1);
        if (write === "update") await slow.session.save();
        const answer = gates.hold("commit", "after");
        const writing =
          write === "save"
            ? slow.session.save()
            : slow.session.update("note", (current) => (current as number) + 1);
        await answer.arrived;
        await login(victim);
        answer.release();
        await writing;
        expect(slow.session.userId).toBeUndefined();
        expect(slow.session.get("role")).toBeUndefined();
        slow.session.set("late", 1);
        expect(await failureOf(slow.session.save())).toMatchObject({ code: "SESSION_SUPERSEDED" });
        expect((await attacker.answer(slow)).setCookies).toEqual([]);
        expect((await victim.request()).session.get("late")).toBeUndefined();
      });
    }

    it(`never sees the user through a successor offered right before, with a store that ${kind}`, async () => {
      const { world, gates, victim, attacker } = await planted(
        { regenerateEvery: "1h" },
        storeOf(),
      );
      world.clock.advance(HOUR);
      const answer = gates.hold("commit", "after");
      const opening = attacker.open();
      await answer.arrived;
      await login(victim);
      answer.release();
      const visit = await opening;
      expect(visit.session.userId).toBeUndefined();
      expect(await failureOf(visit.session.regenerate())).toMatchObject({
        code: "SESSION_SUPERSEDED",
      });
      expect((await attacker.answer(visit)).setCookies).toEqual([]);
      expect((await victim.request()).session.userId).toBe("alice");
    });

    it(`never sees the user through a successor presented right before, with a store that ${kind}`, async () => {
      const { world, gates, victim } = await planted({ regenerateEvery: "1h" }, storeOf());
      world.clock.advance(HOUR);
      await victim.request();
      const attacker = victim.copy();
      const answer = gates.hold("commit", "after");
      const opening = attacker.open();
      await answer.arrived;
      await login(victim);
      answer.release();
      const visit = await opening;
      expect(visit.session.userId).toBeUndefined();
      // Taken in or not, it is not stored; which of the two depends on what the store answered.
      await Promise.allSettled([visit.session.update("late", () => 1)]);
      expect((await attacker.answer(visit)).setCookies).toEqual([]);
      const { session } = await victim.request();
      expect(session.userId).toBe("alice");
      expect(session.get("late")).toBeUndefined();
    });
  }

  it("never sees the user if the sign-in comes in the same tick as its update", async () => {
    for (let ticks = 0; ticks < 8; ticks++) {
      const world = new World({ store: liveStore(memoryStore()) });
      const victim = world.browser();
      await victim.request((session) => session.set("cart", ["tea"]));
      const slow = await victim.copy().open();
      const visit = await victim.open();
      const update = slow.session.update("note", () => 1).catch((error: unknown) => error);
      for (let tick = 0; tick < ticks; tick++) await undefined;
      await visit.session.signIn("alice", { metadata: { role: "admin" } });
      await update;
      expect(slow.session.userId).toBeUndefined();
      expect(slow.session.get("role")).toBeUndefined();
      await failureOf(async () => {
        slow.session.set("late", 1);
        await slow.session.save();
      });
      await victim.answer(visit);
      expect((await victim.request()).session.get("late")).toBeUndefined();
    }
  });

  it("never sees the user where the session looked due at first", async () => {
    const inner = memoryStore();
    // A reader whose touches are still on their way elsewhere: what it finds looks idle.
    let isStale = false;
    const gates = new GatedStore(
      wrappedStore(inner, (method, run) => {
        const result = run();
        if (method !== "find" || !isStale) return result;
        return { ...snapshotOf(result as SessionRecord), lastActivityTime: 0 } as typeof result;
      }),
    );
    const world = new World({ store: gates.store, storeTimeout: "1m" });
    const victim = world.browser();
    await victim.request((session) => session.set("cart", ["tea"]));
    const attacker = victim.copy();

    isStale = true;
    const { session } = await victim.request();
    expect(session.get("cart")).toEqual(["tea"]);

    const answer = gates.hold("endIfDue", "before");
    const opening = attacker.open();
    await answer.arrived;
    isStale = false;
    await login(victim);
    answer.release();
    const visit = await opening;
    expect(visit.session).toMatchObject({ userId: undefined, state: "unsaved" });
  });
});
