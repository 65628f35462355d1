import { describe, expect, it } from "vitest";
import type { SessionConfig } from "../src/config.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { SessionStore } from "../src/store.ts";
import type { Bag } from "./support/browser.ts";
import { HOUR, ManualClock, MINUTE, SECOND, START } from "./support/clock.ts";
import { World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

/** An application whose clock stands `offset` behind its store's; `isKnown`: and that has learnt so. */
function skewed(
  offset: number,
  { isKnown = true, ...config }: SessionConfig<Bag> & { isKnown?: boolean } = {},
): { world: World; clock: ManualClock; asked: string[] } {
  const clock = new ManualClock();
  const asked: string[] = [];
  const inner = memoryStore({ now: () => clock.now() + offset });
  const wrapped = wrappedStore(inner, (method, run) => {
    asked.push(method);
    return run();
  });
  const store: SessionStore = { ...wrapped, ...(isKnown ? { clockOffset: offset } : {}) };
  return { world: new World({ ...config, store, clock }), clock, asked };
}

for (const offset of [10 * MINUTE, -10 * MINUTE]) {
  const where = offset > 0 ? "ahead" : "behind";

  describe(`a store whose clock is 10 minutes ${where} (F-27)`, () => {
    it("has its sessions judged by its own time: live to the last millisecond, then over", async () => {
      const { world, clock, asked } = skewed(offset, { sessionTimeout: "1h" });
      const browser = await world.signedIn("alice");
      await browser.request();
      clock.advance(HOUR - 1);
      asked.length = 0;
      const { session } = await browser.request();
      expect(session.userId).toBe("alice");
      expect(asked).not.toContain("endIfDue");
      clock.advance(HOUR);
      expect((await browser.request()).session.userId).toBeUndefined();
      expect(world.events("ended")).toMatchObject([{ reason: "idle" }]);
    });

    it("is kept awake by requests, whose times are the store's", async () => {
      const { world, clock } = skewed(offset, { sessionTimeout: "1h" });
      const browser = await world.signedIn("alice");
      for (let round = 0; round < 5; round++) {
        clock.advance(50 * MINUTE);
        const { session } = await browser.request();
        expect(session.userId).toBe("alice");
        const seen = await world.manager.get(session.id);
        expect(seen?.lastActivityTime).toBe(clock.now() + offset);
        const [line] = (await world.manager.activity(session.id)).items;
        expect(line?.timestamp).toBe(clock.now() + offset);
      }
    });

    it("shows what is live as live, and gives the cookie the time that is left", async () => {
      const { world } = skewed(offset, {
        sessionTimeout: "8h",
        absoluteTimeout: "8h",
        cookie: { maxAge: "absolute" },
      });
      const browser = world.browser();
      const { session, setCookies } = await browser.request((current) => current.signIn("alice"));
      expect(setCookies[0]).toContain(`Max-Age=${(8 * HOUR) / SECOND}`);
      expect((await world.manager.get(session.id))?.isActive).toBe(true);
      expect((await world.manager.metrics()).lastUpdated).toBe(START + offset);
    });

    it("lets a rotated secret's grace pass by its own time", async () => {
      const { world, clock } = skewed(offset, { regenerateEvery: "1h", sessionTimeout: "1d" });
      const browser = await world.signedIn("alice");
      clock.advance(HOUR - 1);
      expect((await browser.request()).setCookies).toEqual([]);
      clock.advance(1);
      expect((await browser.request()).setCookies).toHaveLength(1);
    });
  });
}

describe("a store whose clock is ahead and that does not say so", () => {
  it("has its sessions served for too long: what the offset is for", async () => {
    const { world, clock } = skewed(10 * MINUTE, { sessionTimeout: "1h", isKnown: false });
    const browser = await world.signedIn("alice");
    clock.advance(HOUR);
    expect((await browser.request()).session.userId).toBe("alice");
  });
});
