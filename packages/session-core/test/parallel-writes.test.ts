import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { SessionStore } from "../src/store.ts";
import type { Browser } from "./support/browser.ts";
import { GatedStore } from "./support/gated-store.ts";
import { World } from "./support/world.ts";

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

describe("parallel writes (R-27)", () => {
  for (const kind of ["at once", "later"] as const) {
    const open = async (): Promise<{ world: World; browser: Browser }> => {
      const world = kind === "at once" ? new World() : gatedWorld().world;
      return { world, browser: await world.signedIn("alice") };
    };

    it(`of 64 different keys all survive, with a store that answers ${kind} (F-02)`, async () => {
      const { browser } = await open();
      const visits = await Promise.all(Array.from({ length: 64 }, () => browser.open()));
      await Promise.all(
        visits.map(async (visit, index) => {
          visit.session.set(`key${index}`, index);
          await browser.answer(visit);
        }),
      );
      const { session } = await browser.request();
      expect(session.metadata).toEqual(
        Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`key${index}`, index])),
      );
    });

    it(`of 64 increments add up, with a store that answers ${kind} (F-03)`, async () => {
      const { browser } = await open();
      const visits = await Promise.all(Array.from({ length: 64 }, () => browser.open()));
      await Promise.all(
        visits.map(async (visit, index) => {
          visit.session.increment("views");
          visit.session.increment("sum", index);
          await browser.answer(visit);
        }),
      );
      const { session } = await browser.request();
      expect(session.metadata).toEqual({ views: 64, sum: 2016 });
    });

    it(`of 64 updates of one cart all survive, with a store that answers ${kind}`, async () => {
      const { browser } = await open();
      const visits = await Promise.all(Array.from({ length: 64 }, () => browser.open()));
      const answers = await Promise.all(
        visits.map(async (visit, index) => {
          const cart = await visit.session.update("cart", (current) => [
            ...((current as string[]) ?? []),
            `item${index}`,
          ]);
          await browser.answer(visit);
          return cart as string[];
        }),
      );
      const { session } = await browser.request();
      const cart = session.get("cart") as string[];
      expect([...cart].sort()).toEqual(
        Array.from({ length: 64 }, (_, index) => `item${index}`).sort(),
      );
      // Each of them was told the cart as it was stored by it.
      expect(new Set(answers.map(({ length }) => length)).size).toBe(64);
    });
  }

  it("of one key: the last write wins", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const [one, two] = [await browser.open(), await browser.open()];
    one.session.set("theme", "dark");
    two.session.set("theme", "light");
    await browser.answer(one);
    await browser.answer(two);
    expect((await browser.request()).session.get("theme")).toBe("light");
  });

  it("show each request its own changes on top of what was stored meanwhile", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const [one, two] = [await browser.open(), await browser.open()];
    one.session.set("a", 1);
    await one.session.save();
    two.session.set("b", 2);
    expect(two.session.metadata).toEqual({ b: 2 });
    await two.session.save();
    expect(two.session.metadata).toEqual({ a: 1, b: 2 });
    expect(one.session.metadata).toEqual({ a: 1 });
  });

  it("of one request go out in order, also where more is written while the store is busy", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    const write = gates.hold("commit");
    visit.session.set("a", 1);
    const saving = visit.session.save();
    await write.arrived;
    visit.session.set("a", 2);
    visit.session.increment("a", 5);
    visit.session.set("b", 1);
    visit.session.delete("b");
    expect(visit.session.metadata).toEqual({ a: 7 });
    write.release();
    await saving;
    expect(visit.isDirty).toBe(false);
    expect((await browser.request()).session.metadata).toEqual({ a: 7 });
  });

  it("never lose an update to a plain write that comes between", async () => {
    const { world, gates } = gatedWorld();
    const browser = await world.signedIn("alice");
    await browser.request((session) => session.set("n", 1));
    const visit = await browser.open();
    const write = gates.hold("commit");
    const seen: unknown[] = [];
    const update = visit.session.update("n", (current) => {
      seen.push(current);
      return (current as number) * 10;
    });
    await write.arrived;
    await browser.request((session) => session.set("n", 7));
    write.release();
    expect(await update).toBe(70);
    expect(seen).toEqual([1, 7]);
  });

  it("of updates of one request go one after the other", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    const { session } = visit;
    const values = await Promise.all(
      Array.from({ length: 10 }, () =>
        session.update("n", (current) => ((current as number | undefined) ?? 0) + 1),
      ),
    );
    expect(values).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("store what was set before an update, and what is set inside of it", async () => {
    const { world } = gatedWorld();
    const browser = await world.signedIn("alice");
    const { session } = await browser.request(async (current) => {
      current.set("n", 5);
      await current.update("n", (value) => {
        current.set("log", "updated");
        return (value as number) + 1;
      });
    });
    expect(session.metadata).toEqual({ n: 6, log: "updated" });
    expect((await browser.request()).session.metadata).toEqual({ n: 6, log: "updated" });
  });
});
