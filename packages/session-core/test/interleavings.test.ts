import { describe, expect, it } from "vitest";
import { isSessionError } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Visit } from "../src/visit.ts";
import type { Bag, Browser } from "./support/browser.ts";
import { HOUR, MINUTE, SECOND } from "./support/clock.ts";
import { liveStore } from "./support/live-store.ts";
import { SeededRandom } from "./support/seeded-random.ts";
import { World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const SEEDS = 400;
const VISITS = 6;
const STEPS = 5;

/** What one run did, for the checks at its end. */
interface Run {
  readonly world: World;
  readonly random: SeededRandom;
  /** Acknowledged increments, by session. */
  readonly counted: Map<string, number>;
  /** Sessions that were ended by a request or the manager. */
  readonly ended: Set<string>;
}

function start(seed: number): Run {
  const random = new SeededRandom(seed);
  const inner = random.below(2) === 0 ? memoryStore() : liveStore(memoryStore());
  const pause = async (): Promise<void> => {
    for (let ticks = random.below(6); ticks > 0; ticks--) await undefined;
  };
  const store = wrappedStore(inner, async (_method, run) => {
    await pause();
    const result = await run();
    await pause();
    return result;
  });
  const regenerateEvery = random.below(2) === 0 ? { regenerateEvery: "1h" } : {};
  const world = new World({ store, storeTimeout: "1m", ...regenerateEvery });
  return { world, random, counted: new Map(), ended: new Set() };
}

/** One request: some steps, in any order, then the answer. What the contract refuses is refused with its codes. */
async function visit(run: Run, browser: Browser): Promise<void> {
  const { random, world } = run;
  const current = await browser.open();
  for (let step = random.below(STEPS); step > 0; step--) {
    try {
      await act(run, current);
    } catch (error) {
      if (!isSessionError(error)) throw error;
      expect(["SESSION_ENDED", "SESSION_SUPERSEDED"]).toContain(error.code);
    }
    if (random.below(5) === 0) world.clock.advance(random.pick([SECOND, MINUTE, HOUR]));
  }
  const isOver = random.below(2) === 0 && current.session.state === "ok";
  const { setCookies } = await browser.answer(current);
  expect(setCookies.length).toBeLessThan(2);
  if (isOver) expect(current.isDirty).toBe(false);
}

async function act(run: Run, { session }: Visit<Bag>): Promise<void> {
  switch (run.random.below(8)) {
    case 0: {
      const { id } = session;
      await session.signIn("alice", { keep: true });
      // A fresh session begins with what this request saw.
      if (session.id !== id)
        run.counted.set(session.id, (session.get("n") as number | undefined) ?? 0);
      return;
    }
    case 1:
      return session.regenerate();
    case 2: {
      const { id } = session;
      await session.signOut();
      if (id !== "") run.ended.add(id);
      return;
    }
    case 3: {
      const { id } = session;
      if (id === "") return;
      await run.world.manager.revoke(id);
      run.ended.add(id);
      return;
    }
    case 4:
      await session.update("list", (list) => [...((list as number[] | undefined) ?? []), 1]);
      return;
    default: {
      if (session.state !== "ok") return;
      session.increment("n");
      await session.save();
      run.counted.set(session.id, (run.counted.get(session.id) ?? 0) + 1);
    }
  }
}

describe("requests of one browser, in any order and interleaving", () => {
  it(`keep the race contract, ${SEEDS} times over`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = start(seed);
      const { world } = run;
      const browser = world.browser();
      await browser.request();
      for (let round = 0; round < 3; round++) {
        const tabs = Array.from({ length: VISITS }, () => browser.copy());
        await Promise.all([...tabs, browser].map((tab) => visit(run, tab)));
      }
      for (const id of run.ended) {
        expect([seed, id, (await world.manager.get(id))?.isActive]).toEqual([seed, id, false]);
      }
      for (const [id, count] of run.counted) {
        const { metadata } = (await world.manager.get(id)) ?? {};
        expect([seed, id, metadata?.n ?? 0]).toEqual([seed, id, count]);
      }
      const created = world.events("created").map(({ sessionId }) => sessionId);
      expect(new Set(created).size).toBe(created.length);
      const ended = world.events("ended").map(({ sessionId }) => sessionId);
      expect(new Set(ended).size).toBe(ended.length);
      expect(world.events("store-error")).toEqual([]);
    }
  });
});
