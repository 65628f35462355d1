import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { START } from "./support/clock.ts";
import { World } from "./support/world.ts";

describe("listening", () => {
  const reported: unknown[][] = [];
  const original = console.error;

  beforeEach(() => {
    reported.length = 0;
    console.error = (...args: unknown[]) => void reported.push(args);
  });
  afterEach(() => {
    console.error = original;
  });

  it("hears events in order with what they carry", async () => {
    const world = new World();
    const browser = world.browser();
    const { session } = await browser.request();
    await browser.request((current) => current.signIn("alice"));
    await browser.request((current) => current.regenerate());
    await browser.request((current) => current.signOut());
    const sessionId = session.id;
    expect(world.happenings).toEqual([
      { name: "created", event: { sessionId, userId: undefined, at: START } },
      { name: "signed-in", event: { sessionId, userId: "alice", at: START } },
      { name: "regenerated", event: { sessionId, userId: "alice", at: START } },
      { name: "ended", event: { sessionId, userId: "alice", at: START, reason: "signed-out" } },
    ]);
  });

  it("hears of every sign-in, also of one that makes its session", async () => {
    const cases: [title: string, run: (world: World) => Promise<unknown>][] = [
      ["from an anonymous session", (world) => world.signedIn("alice")],
      [
        "from another site",
        (world) =>
          world.browser().request((session) => session.signIn("alice"), {
            headers: { "sec-fetch-site": "cross-site" },
          }),
      ],
      [
        "after another user",
        async (world) => {
          const browser = await world.signedIn("bob");
          await browser.request((session) => session.signIn("alice"));
        },
      ],
      [
        "after a sign-out",
        async (world) => {
          const browser = await world.signedIn("bob");
          await browser.request(async (session) => {
            await session.signOut();
            await session.signIn("alice");
          });
        },
      ],
      ["by the manager", (world) => world.manager.create({ userId: "alice" })],
    ];
    for (const [title, run] of cases) {
      const world = new World();
      await run(world);
      const alices = world.events("signed-in").filter(({ userId }) => userId === "alice");
      expect([title, alices.length]).toEqual([title, 1]);
    }
    const anonymous = new World();
    await anonymous.browser().request();
    expect(anonymous.events("signed-in")).toEqual([]);
  });

  it("stops when it is told to, one listener at a time", async () => {
    const world = new World();
    const heard: string[] = [];
    const listen = (): void => void heard.push("x");
    const [stopFirst] = [world.manager.on("created", listen), world.manager.on("created", listen)];
    stopFirst?.();
    stopFirst?.();
    await world.browser().request();
    expect(heard).toEqual(["x"]);
  });

  it("that throws fails nothing: neither the request nor other listeners", async () => {
    const world = new World();
    const heard: string[] = [];
    const cause = new Error("a listener's own");
    world.manager.on("created", () => {
      throw cause;
    });
    world.manager.on("created", () => void heard.push("second"));
    const { session } = await world.browser().request();
    expect(session.isNew).toBe(true);
    expect(heard).toEqual(["second"]);
    expect(reported.map((args) => args.at(-1))).toEqual([cause]);
  });

  it("that rejects later fails nothing either", async () => {
    const world = new World();
    const cause = new Error("a listener's own");
    world.manager.on("created", async () => {
      await undefined;
      throw cause;
    });
    await world.browser().request();
    await undefined;
    expect(reported.map((args) => args.at(-1))).toEqual([cause]);
  });

  it("that calls the manager finds the session as it is after the event", async () => {
    const world = new World();
    const found: (string | undefined)[] = [];
    world.manager.on("signed-in", async ({ sessionId }) => {
      found.push((await world.manager.get(sessionId))?.userId);
    });
    await world.signedIn("alice");
    await undefined;
    expect(found).toEqual(["alice"]);
  });

  it("hears what another manager of the same store does", async () => {
    const here = new World();
    const there = new World({ store: here.store });
    await there.signedIn("alice");
    expect(here.events("signed-in")).toMatchObject([{ userId: "alice" }]);
  });
});
