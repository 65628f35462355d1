import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { SessionStore } from "../src/store.ts";
import { START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const UNKNOWN = "x".repeat(32);

const INVALID = { name: "SessionError", code: "INVALID_ARGUMENT" };

describe("revoke", () => {
  it("ends a session, once", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const { session } = await browser.request();
    expect(await world.manager.revoke(session.id)).toEqual({ ended: 1, durable: true });
    expect(await world.manager.revoke(session.id)).toEqual({ ended: 0, durable: true });
    expect(await world.manager.revoke(UNKNOWN)).toEqual({ ended: 0, durable: true });
    expect((await browser.request()).session.userId).toBeUndefined();
    expect(world.events("ended")).toEqual([
      { sessionId: session.id, userId: "alice", at: START, reason: "revoked" },
    ]);
  });

  it("ends it for the reason that is given, and refuses one that there is not", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice" });
    const reason = "bored" as "revoked";
    expect(await failureOf(world.manager.revoke(session.id, { reason }))).toMatchObject(INVALID);
    await world.manager.revoke(session.id, { reason: "erased" });
    expect(world.events("ended")).toMatchObject([{ reason: "erased" }]);
  });
});

describe("an end that the store's primary alone has accepted (F-21)", () => {
  it("is not called durable: by revoke, by revokeUser and by signOut", async () => {
    const inner = memoryStore();
    const store: SessionStore = {
      ...wrappedStore(inner, (_method, run) => run()),
      end: (...call) => {
        const result = inner.end(...call);
        return result.status === "ended" ? { ...result, durable: false } : result;
      },
      endUser: (...call) => ({ ...inner.endUser(...call), durable: false }),
    };
    const world = new World({ store });
    const { session } = await world.manager.create();
    expect(await world.manager.revoke(session.id)).toEqual({ ended: 1, durable: false });
    await world.manager.create({ userId: "alice" });
    expect(await world.manager.revokeUser("alice")).toEqual({ ended: 1, durable: false });
    const browser = await world.signedIn("bob");
    await browser.request(async (current) => {
      expect(await current.signOut()).toEqual({ ended: 1, durable: false });
      // Nothing is left that could be lost.
      expect(await current.signOut()).toEqual({ ended: 0, durable: true });
    });
  });
});

describe("revokeUser", () => {
  it("ends every session of the user but one, and nobody else's", async () => {
    const world = new World();
    const ids: string[] = [];
    for (let index = 0; index < 3; index++)
      ids.push((await world.manager.create({ userId: "alice" })).session.id);
    const { session: bob } = await world.manager.create({ userId: "bob" });
    const except = ids[1] ?? "";
    expect(await world.manager.revokeUser("alice", { except })).toEqual({
      ended: 2,
      durable: true,
    });
    expect((await world.manager.list({ userId: "alice" })).items.map(({ id }) => id)).toEqual([
      except,
    ]);
    expect((await world.manager.get(bob.id))?.isActive).toBe(true);
    expect(await world.manager.revokeUser("nobody")).toEqual({ ended: 0, durable: true });
  });

  for (const userId of [undefined, null, "", 5, {}, "x".repeat(257)]) {
    it(`refuses ${JSON.stringify(userId)?.slice(0, 20) ?? "undefined"}: it must never mean everybody`, async () => {
      const world = new World();
      await world.manager.create({ userId: "alice" });
      await world.manager.create();
      expect(await failureOf(world.manager.revokeUser(userId as string))).toMatchObject(INVALID);
      expect((await world.manager.list()).total).toBe(2);
    });
  }

  it("refuses an exception that is there and undefined: it would end the caller's own", async () => {
    const world = new World();
    await world.manager.create({ userId: "alice" });
    const options = { except: undefined } as object;
    expect(await failureOf(world.manager.revokeUser("alice", options))).toMatchObject(INVALID);
    expect((await world.manager.list()).total).toBe(1);
  });

  it("refuses a reason that there is not", async () => {
    const reason = "bored" as "revoked";
    expect(await failureOf(new World().manager.revokeUser("alice", { reason }))).toMatchObject(
      INVALID,
    );
  });
});
