import { describe, expect, it } from "vitest";
import type { Browser } from "./support/browser.ts";
import { HOUR, MINUTE } from "./support/clock.ts";
import { World } from "./support/world.ts";

function idOf(browser: Browser): string {
  return browser.token?.split(".")[0] ?? "";
}

interface Household {
  readonly world: World;
  readonly phone: Browser;
  readonly laptop: Browser;
  readonly tv: Browser;
  readonly other: Browser;
}

/** A user with three devices, the newest last, and somebody else. */
async function household(): Promise<Household> {
  const world = new World();
  const device = async (agent: string): Promise<Browser> => {
    const browser = await world.signedIn("alice", { headers: { "user-agent": agent } });
    world.clock.advance(MINUTE);
    return browser;
  };
  const [phone, laptop, tv] = [
    await device("Phone/1"),
    await device("Laptop/1"),
    await device("TV/1"),
  ];
  return { world, phone, laptop, tv, other: await world.signedIn("bob") };
}

describe("devices", () => {
  it("are the live sessions of the same user, the newest first, this one among them", async () => {
    const { phone, laptop, tv } = await household();
    const { session } = await phone.request();
    const { items, total, nextCursor } = await session.devices();
    expect(items.map(({ id }) => id)).toEqual([tv, laptop, phone].map(idOf));
    expect(items.map(({ userAgent }) => userAgent)).toEqual(["TV/1", "Laptop/1", "Phone/1"]);
    expect(total).toBe(3);
    expect(nextCursor).toBeUndefined();
  });

  it("do not show those that have ended or fallen due", async () => {
    const { world, phone, laptop } = await household();
    await laptop.request((session) => session.signOut());
    world.clock.advance(23 * HOUR);
    await phone.request();
    world.clock.advance(2 * HOUR);
    const { session } = await phone.request();
    expect((await session.devices()).items.map(({ id }) => id)).toEqual([idOf(phone)]);
  });

  it("are the own session alone for an anonymous visitor", async () => {
    const { world } = await household();
    const { session } = await world.browser().request();
    const { items, total } = await session.devices();
    expect(items.map(({ id }) => id)).toEqual([session.id]);
    expect(total).toBe(1);
  });

  it("are none without a session", async () => {
    const visit = await new World({ create: "write" }).browser().open();
    expect(await visit.session.devices()).toEqual({ items: [], total: 0 });
  });
});

describe("ending another device", () => {
  it("ends it as revoked, once", async () => {
    const { world, phone, laptop, tv } = await household();
    const { session } = await phone.request();
    expect(await session.endOther(idOf(laptop))).toBe(true);
    expect(await session.endOther(idOf(laptop))).toBe(false);
    expect(await world.manager.get(idOf(laptop))).toMatchObject({
      isActive: false,
      endReason: "revoked",
    });
    expect((await laptop.request()).session.userId).toBeUndefined();
    expect((await tv.request()).session.userId).toBe("alice");
  });

  it("answers false for somebody else's, an unknown one and the own one, and ends none", async () => {
    const { phone, other } = await household();
    const { session } = await phone.request();
    for (const id of [idOf(other), "x".repeat(32), idOf(phone), ""]) {
      expect(await session.endOther(id)).toBe(false);
    }
    expect((await other.request()).session.userId).toBe("bob");
    expect((await phone.request()).session.userId).toBe("alice");
  });

  it("answers false to an anonymous visitor, also for another anonymous session", async () => {
    const { world, phone } = await household();
    const neighbour = world.browser();
    await neighbour.request();
    const { session } = await world.browser().request();
    expect(await session.endOther(idOf(phone))).toBe(false);
    expect(await session.endOther(idOf(neighbour))).toBe(false);
    expect((await neighbour.request()).session.isNew).toBe(false);
  });
});

describe("ending all other devices", () => {
  it("ends them and answers how many; the own one stays", async () => {
    const { phone, laptop, other } = await household();
    const { session } = await phone.request();
    expect(await session.endOthers()).toBe(2);
    expect(await session.endOthers()).toBe(0);
    expect((await phone.request()).session.userId).toBe("alice");
    expect((await laptop.request()).session.userId).toBeUndefined();
    expect((await other.request()).session.userId).toBe("bob");
  });

  it("ends nobody for an anonymous visitor or without a session", async () => {
    const { world } = await household();
    const before = (await world.manager.list()).total ?? 0;
    const { session } = await world.browser().request();
    expect(await session.endOthers()).toBe(0);
    expect((await world.manager.list()).total).toBe(before + 1);
    const visit = await new World({ create: "write" }).browser().open();
    expect(await visit.session.endOthers()).toBe(0);
  });

  it("is over for who has signed out", async () => {
    const { phone, laptop } = await household();
    await phone.request(async (session) => {
      await session.signOut();
      expect(await session.endOthers()).toBe(0);
      expect(await session.endOther(idOf(laptop))).toBe(false);
      expect(await session.devices()).toEqual({ items: [], total: 0 });
    });
    expect((await laptop.request()).session.userId).toBe("alice");
  });
});
