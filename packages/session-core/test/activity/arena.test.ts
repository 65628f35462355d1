import { describe, expect, it } from "vitest";
import { Arena, SEGMENT_BYTES } from "../../src/activity/arena.ts";

describe("Arena", () => {
  it("gives every segment words of its own", () => {
    const arena = new Arena();
    const segments = Array.from({ length: 5000 }, () => arena.allocate());
    for (const [index, segment] of segments.entries()) {
      arena.link(segment, index);
      for (let sequence = 0; sequence < 4; sequence++) {
        arena
          .words(segment)
          .fill(index, arena.entryAt(segment, sequence), arena.entryAt(segment, sequence) + 4);
      }
    }
    for (const [index, segment] of segments.entries()) {
      expect(arena.next(segment)).toBe(index);
      expect(arena.words(segment)[arena.entryAt(segment, 7)]).toBe(index);
    }
    expect(arena.bytes).toBe(5000 * SEGMENT_BYTES);
  });

  it("gives back what a flood took", () => {
    const arena = new Arena();
    const segments = Array.from({ length: 20_000 }, () => arena.allocate());
    const held = arena.heldBytes;
    for (const segment of segments) arena.free(segment);
    expect(arena.bytes).toBe(0);
    expect(arena.heldBytes * 4).toBeLessThan(held);
  });
});
