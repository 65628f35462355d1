import { describe, expect, it } from "vitest";
import { deadline, isProvisional, lifecycle } from "../src/lifecycle.ts";
import { DAY, HOUR, MINUTE, START } from "./support/clock.ts";
import { recordOf, stateOf } from "./support/records.ts";

const PROVISIONAL_END = START + 10 * MINUTE;

describe("the idle timeout (R-22)", () => {
  const record = recordOf({ lastActivityTime: START + MINUTE });
  const end = START + MINUTE + HOUR;

  it("runs from the last activity", () => {
    expect(deadline(record)).toBe(end);
  });

  it("is not over one millisecond before its end", () => {
    expect(lifecycle(record, end - 1)).toBe("live");
  });

  it("is over at its end", () => {
    expect(lifecycle(record, end)).toBe("idle");
  });

  it("is over one millisecond after its end", () => {
    expect(lifecycle(record, end + 1)).toBe("idle");
  });

  it("does not run from an access that was not the user's", () => {
    const polled = recordOf({ lastActivityTime: START, lastAccessTime: START + 50 * MINUTE });
    expect(deadline(polled)).toBe(START + HOUR);
  });
});

describe("the absolute timeout (R-22)", () => {
  const end = START + DAY;
  const record = recordOf({ lastActivityTime: end - MINUTE });

  it("stands, whatever the last activity", () => {
    expect(deadline(record)).toBe(end);
  });

  it("is not over one millisecond before its end", () => {
    expect(lifecycle(record, end - 1)).toBe("live");
  });

  it("is over at its end", () => {
    expect(lifecycle(record, end)).toBe("absolute");
  });

  it("is over one millisecond after its end", () => {
    expect(lifecycle(record, end + 1)).toBe("absolute");
  });

  it("is the reason where the idle timeout ends at the same moment or ended before", () => {
    expect(lifecycle(recordOf({ lastActivityTime: end - HOUR }), end)).toBe("absolute");
    expect(lifecycle(recordOf(), end)).toBe("absolute");
  });
});

describe("a provisional session", () => {
  const state = stateOf({ provisionalEnd: PROVISIONAL_END });

  it("is live until one millisecond before its end, and over at its end", () => {
    const record = recordOf({ state });
    expect(isProvisional(record)).toBe(true);
    expect(lifecycle(record, PROVISIONAL_END - 1)).toBe("live");
    expect(lifecycle(record, PROVISIONAL_END)).toBe("provisional");
    expect(lifecycle(record, PROVISIONAL_END + 1)).toBe("provisional");
  });

  it("has its own end instead of the idle one, also when that is earlier", () => {
    const impatient = recordOf({ state: { ...state, idleTimeout: MINUTE } });
    expect(lifecycle(impatient, START + 2 * MINUTE)).toBe("live");
  });

  it("never outlives the absolute end", () => {
    const short = recordOf({ state: { ...state, absoluteEnd: START + MINUTE } });
    expect(deadline(short)).toBe(START + MINUTE);
    expect(lifecycle(short, START + MINUTE)).toBe("absolute");
  });

  it("is an ordinary one once its token has come back", () => {
    const record = recordOf({ state, confirmed: true });
    expect(isProvisional(record)).toBe(false);
    expect(lifecycle(record, PROVISIONAL_END)).toBe("live");
    expect(lifecycle(record, START + HOUR)).toBe("idle");
  });

  it("is an ordinary one once something is stored in it", () => {
    expect(isProvisional(recordOf({ state: stateOf({ provisionalEnd: undefined }) }))).toBe(false);
  });
});

describe("an ended session", () => {
  it("stays ended, also before the moment that it ended at", () => {
    const record = recordOf({ endedAt: START + MINUTE, endReason: "revoked" });
    for (const now of [START, START + MINUTE, START + 2 * DAY]) {
      expect(lifecycle(record, now)).toBe("ended");
    }
  });
});
