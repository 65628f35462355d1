import { describe, expect, it } from "vitest";
import { ActiveUsers } from "../../src/metrics/active-users.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const MINUTE = 60_000;

describe("ActiveUsers", () => {
  it("counts each user of the last five minutes once, exactly", () => {
    const random = new SeededRandom(11);
    const users = new ActiveUsers();
    const seen = new Map<string, number>();
    let now = 1_750_000_000_000;
    for (let step = 0; step < 4000; step++) {
      now += random.pick([0, 7, 900, 4000, 30_000, 200_000]) * (random.below(200) === 0 ? 40 : 1);
      if (random.below(4) > 0) {
        const user = `user ${random.below(40)}`;
        users.add(user, now);
        seen.set(user, now);
      }
      const second = Math.floor(now / 1000);
      const expected = [...seen.values()].filter((time) => Math.floor(time / 1000) > second - 300);
      expect(users.count(now)).toBe(expected.length);
    }
  });

  it("counts a user once, whoever keeps the number at the moment", () => {
    const users = new ActiveUsers();
    const kept = users.note(0, 10 * MINUTE);
    expect(users.note(kept, 11 * MINUTE)).toBeGreaterThan(kept);
    users.left("ann", users.note(kept, 12 * MINUTE));
    users.add("ann", 13 * MINUTE);
    expect(users.count(13 * MINUTE)).toBe(1);
    const again = users.note(users.came("ann"), 14 * MINUTE);
    expect(users.count(14 * MINUTE)).toBe(1);
    expect(users.count(19 * MINUTE)).toBe(0);
    users.left("ann", again);
    expect(users.came("bob")).toBe(0);
    users.note(users.came("ann"), 20 * MINUTE);
    expect(users.count(20 * MINUTE)).toBe(1);
  });

  it("counts anew, and nobody twice, after the clock has gone back and caught up again (R-38)", () => {
    const users = new ActiveUsers();
    const ann = users.note(0, 60 * MINUTE);
    users.add("bob", 10 * MINUTE);
    expect(users.count(10 * MINUTE)).toBe(1);
    users.note(ann, 60 * MINUTE);
    expect(users.count(60 * MINUTE)).toBe(1);
  });

  it("forgets a user after five minutes, not before", () => {
    const users = new ActiveUsers();
    users.add("ann", 999);
    expect(users.count(5 * MINUTE - 1)).toBe(1);
    expect(users.count(5 * MINUTE)).toBe(0);
  });

  it("does not count anybody twice, nor below zero, when the clock goes back (R-38)", () => {
    const users = new ActiveUsers();
    users.add("ann", 60 * MINUTE);
    users.add("ann", 59 * MINUTE);
    expect(users.count(59 * MINUTE)).toBe(1);
    users.add("ann", 10 * MINUTE);
    users.add("bob", 10 * MINUTE);
    expect(users.count(10 * MINUTE)).toBe(2);
    expect(users.count(60 * MINUTE)).toBe(0);
  });
});
