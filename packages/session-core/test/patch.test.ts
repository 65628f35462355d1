import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { DAY, HOUR, START } from "./support/clock.ts";
import { failureOf, World } from "./support/world.ts";
import { wrappedStore } from "./support/wrapped-store.ts";

const UNKNOWN = "x".repeat(32);

describe("patch", () => {
  it("sets some keys of a live session and answers it", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice", metadata: { a: 1, b: 2 } });
    const patched = await world.manager.patch(session.id, { b: 3, c: 4 });
    expect(patched?.metadata).toEqual({ a: 1, b: 3, c: 4 });
    expect((await world.manager.get(session.id))?.metadata).toEqual({ a: 1, b: 3, c: 4 });
  });

  it("is no activity: it keeps nobody alive", async () => {
    const world = new World();
    const { session } = await world.manager.create({ userId: "alice" });
    world.clock.advance(HOUR);
    expect(await world.manager.patch(session.id, { a: 1 })).toMatchObject({
      lastActivityTime: START,
      lastAccessTime: START,
    });
  });

  it("answers undefined for a session that is not there, has ended or is due", async () => {
    const world = new World({ sessionTimeout: "1h" });
    const [ended, due] = [
      await world.manager.create({ userId: "a" }),
      await world.manager.create({ userId: "b" }),
    ];
    await world.manager.revoke(ended.session.id);
    expect(await world.manager.patch(UNKNOWN, { a: 1 })).toBeUndefined();
    expect(await world.manager.patch(ended.session.id, { a: 1 })).toBeUndefined();
    world.clock.advance(HOUR);
    expect(await world.manager.patch(due.session.id, { a: 1 })).toBeUndefined();
  });

  it("tries again where somebody signs in between", async () => {
    const inner = memoryStore();
    let disturb: (() => void) | undefined;
    const world = new World({
      store: wrappedStore(inner, (method, run) => {
        if (method === "commit") {
          const once = disturb;
          disturb = undefined;
          once?.();
        }
        return run();
      }),
    });
    const { session } = await world.manager.create({ metadata: { a: 1 } });
    const { state } = inner.find(session.id) ?? {};
    disturb = () => {
      inner.commit(session.id, {
        opId: "other",
        epoch: 0,
        secretHash: state?.secretHash,
        version: undefined,
        ops: [],
        maxMetadataBytes: 1000,
        change: {
          kind: "sign-in",
          secretHash: "y".repeat(43),
          userId: "alice",
          keep: true,
          idleTimeout: HOUR,
          absoluteTimeout: DAY,
          limit: undefined,
        },
      });
    };
    const patched = await world.manager.patch(session.id, { b: 2 });
    expect(patched).toMatchObject({ userId: "alice", metadata: { a: 1, b: 2 } });
  });

  it("refuses what is no data and what is too much, and changes nothing", async () => {
    const world = new World({ maxMetadataBytes: 40 });
    const { session } = await world.manager.create({ metadata: { a: 1 } });
    const refused: [metadata: unknown, code: string][] = [
      [{ a: undefined }, "INVALID_VALUE"],
      [{ a: Number.NaN }, "INVALID_VALUE"],
      [{ "": 1 }, "INVALID_ARGUMENT"],
      [[1], "INVALID_ARGUMENT"],
      [null, "INVALID_ARGUMENT"],
      ["text", "INVALID_ARGUMENT"],
      [{ b: "x".repeat(50) }, "METADATA_TOO_LARGE"],
    ];
    for (const [metadata, code] of refused) {
      expect(await failureOf(world.manager.patch(session.id, metadata as object))).toMatchObject({
        code,
      });
    }
    expect((await world.manager.get(session.id))?.metadata).toEqual({ a: 1 });
  });
});
