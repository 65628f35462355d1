import { describe, expect, it } from "vitest";
import type { ActivityEntry } from "../../src/activity/entry.ts";
import { ActivityLog, type LogHead } from "../../src/activity/log.ts";
import type { LogQuery } from "../../src/activity/log-page.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const MEGABYTE = 2 ** 20;
const DAY = 86_400_000;
const ALL: LogQuery = { limit: 1_000_000, offset: 0, before: undefined, after: undefined };
const never = (): boolean => false;

function head(): LogHead {
  return { logLast: 0, logNext: 0, logCount: 0, logWhole: undefined };
}

function entry(part: Partial<ActivityEntry> = {}): ActivityEntry {
  return {
    timestamp: 1_750_000_000_000,
    action: "request",
    endpoint: "/",
    method: "GET",
    statusCode: 200,
    duration: 1.5,
    requestSize: 0,
    responseSize: 100,
    ...part,
  };
}

function endpoints(log: ActivityLog, of: LogHead, query: Partial<LogQuery> = {}): string[] {
  return log.read(of, { ...ALL, ...query }).entries.map(({ endpoint }) => endpoint);
}

describe("ActivityLog", () => {
  it("agrees with a list per session through thousands of entries, wraps and releases (R-46)", () => {
    const random = new SeededRandom(7);
    const log = new ActivityLog(never);
    const limit = 10;
    const sessions = Array.from({ length: 20 }, () => ({
      head: head(),
      list: [] as ActivityEntry[],
    }));
    for (let step = 0; step < 5000; step++) {
      const session = random.pick(sessions);
      const action = random.below(30);
      if (action === 0) {
        log.abandon(session.head);
        session.list = [];
      } else if (action === 1) {
        const time = step - random.below(100);
        log.expire(session.head, time);
        const kept = session.list.findIndex(({ timestamp }) => timestamp > time);
        session.list = kept === -1 ? [] : session.list.slice(kept);
      } else {
        const added = entry({
          timestamp: step,
          endpoint: `/${random.below(8)}`,
          method: random.pick(["GET", "POST"]),
          statusCode: random.pick([200, 404]),
          requestSize: random.pick([0, 17]),
          duration: random.below(1000) / 8,
          ...(random.below(5) === 0 ? { action: "buy", metadata: { step } } : {}),
          ...(random.below(20) === 0 ? { responseSize: 2 ** 40 + step } : {}),
        });
        log.append(session.head, added, limit, MEGABYTE);
        session.list = [...session.list, added].slice(-limit);
      }
      if (random.below(10) === 0) log.clean(() => random.below(4) === 0);
      const page = log.read(session.head, ALL);
      expect(page.entries).toEqual([...session.list].reverse());
      expect(page.total).toBe(session.list.length);
    }
    for (const session of sessions) log.abandon(session.head);
    expect(log.clean(never)).toBe(true);
    expect(log.bytes).toBe(0);
    expect(log.kinds).toBe(0);
    expect(log.dropped).toBe(0);
  });

  it("keeps the newest entries when the limit is reached, and when it was lowered", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (let index = 0; index < 9; index++)
      log.append(session, entry({ endpoint: `/${index}` }), 7, MEGABYTE);
    expect(endpoints(log, session)).toEqual(["/8", "/7", "/6", "/5", "/4", "/3", "/2"]);
    log.append(session, entry({ endpoint: "/9" }), 2, MEGABYTE);
    expect(endpoints(log, session)).toEqual(["/9", "/8"]);
    log.append(session, entry({ endpoint: "/10" }), 0, MEGABYTE);
    expect(endpoints(log, session)).toEqual(["/9", "/8"]);
  });

  it("gives pages that do not shift while entries come", () => {
    const log = new ActivityLog(never);
    const session = head();
    const add = (name: string): void =>
      log.append(session, entry({ endpoint: name }), 1000, MEGABYTE);
    for (let index = 0; index < 10; index++) add(`/${index}`);
    const seen: string[] = [];
    let before: number | undefined;
    do {
      const page = log.read(session, { ...ALL, limit: 3, before });
      seen.push(...page.entries.map(({ endpoint }) => endpoint));
      before = page.next;
      add("/new");
    } while (before !== undefined);
    expect(seen).toEqual(["/9", "/8", "/7", "/6", "/5", "/4", "/3", "/2", "/1", "/0"]);
  });

  it("ends the pages when the ring has passed the place of the next one", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (let index = 0; index < 4; index++) log.append(session, entry(), 4, MEGABYTE);
    const { next } = log.read(session, { ...ALL, limit: 2 });
    for (let index = 0; index < 4; index++) log.append(session, entry(), 4, MEGABYTE);
    expect(log.read(session, { ...ALL, before: next })).toEqual({
      entries: [],
      next: undefined,
      total: 4,
    });
  });

  it("skips an offset", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (let index = 0; index < 5; index++)
      log.append(session, entry({ endpoint: `/${index}` }), 9, MEGABYTE);
    expect(endpoints(log, session, { offset: 3 })).toEqual(["/1", "/0"]);
    expect(log.read(session, { ...ALL, offset: 1, limit: 2 }).next).toBe(2);
    expect(log.read(session, { ...ALL, offset: 5 })).toEqual({
      entries: [],
      next: undefined,
      total: 5,
    });
  });

  it("leaves out what is too old, also in the midst of younger entries, and does not count it (R-44)", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (const timestamp of [100, 300, 200, 301, 400]) {
      log.append(session, entry({ timestamp, endpoint: `/${timestamp}` }), 9, MEGABYTE);
    }
    expect(endpoints(log, session, { after: 300 })).toEqual(["/400", "/301"]);
    expect(log.read(session, { ...ALL, after: 299 })).toMatchObject({ total: 3, next: undefined });
    const page = log.read(session, { ...ALL, after: 299, limit: 1 });
    expect(page).toMatchObject({ total: 3, next: 4 });
    expect(endpoints(log, session, { after: 299, before: page.next })).toEqual(["/301", "/300"]);
    expect(endpoints(log, session, { after: 299, offset: 2 })).toEqual(["/300"]);
  });

  it("keeps times that lie months apart, and times that go back", () => {
    const log = new ActivityLog(never);
    const session = head();
    const times = [0, 49 * DAY, 50 * DAY, 5000 * DAY, 20 * DAY, 1];
    for (const timestamp of times) log.append(session, entry({ timestamp }), 9, MEGABYTE);
    const kept = log.read(session, ALL).entries.map(({ timestamp }) => timestamp);
    expect(kept).toEqual([...times].reverse());
  });

  it("keeps entries that cannot be packed as they are, and as nobody can change them", () => {
    const log = new ActivityLog(never);
    const session = head();
    const odd = [
      entry({ responseSize: 2 ** 50 }),
      entry({ timestamp: 1.5 }),
      entry({ action: "login", endpoint: "", method: "", statusCode: 0, duration: 0 }),
      entry({ metadata: { plan: "pro" } }),
    ];
    for (const one of odd) log.append(session, one, 9, MEGABYTE);
    const { entries } = log.read(session, ALL);
    expect(entries).toEqual([...odd].reverse());
    for (const one of entries) expect(Object.isFrozen(one)).toBe(true);
  });

  it("keeps entries of invented methods, at the price of an object each", () => {
    const log = new ActivityLog(never);
    const session = head();
    const methods = Array.from({ length: 100 }, (_, index) => `M${index}`);
    for (const method of methods) log.append(session, entry({ method }), 1000, MEGABYTE);
    expect(log.read(session, ALL).entries.map(({ method }) => method)).toEqual(methods.reverse());
    expect(log.kinds).toBeLessThan(40);
  });

  it("begins a timeline anew after four billion entries", () => {
    const log = new ActivityLog(never);
    const session: LogHead = { ...head(), logNext: 2 ** 32 - 3 };
    for (const name of ["/a", "/b", "/c", "/d"])
      log.append(session, entry({ endpoint: name }), 9, MEGABYTE);
    expect(endpoints(log, session)).toEqual(["/d", "/c"]);
    expect(session.logNext).toBe(2);
  });
});

describe("ActivityLog when its bytes are used up", () => {
  it("never exceeds them, and lets a session go on at the cost of its own oldest entries (R-46)", () => {
    const log = new ActivityLog(never);
    const [one, two] = [head(), head()];
    for (let index = 0; index < 500; index++) {
      log.append(one, entry({ endpoint: `/${index % 5}` }), 1000, 4096);
      if (index < 3) log.append(two, entry({ endpoint: `/two/${index}` }), 1000, 4096);
      expect(log.bytes <= 4096).toBe(true);
    }
    expect(log.dropped).toBe(0);
    expect(endpoints(log, one).slice(0, 3)).toEqual(["/4", "/3", "/2"]);
    expect(endpoints(log, two)).toEqual(["/two/2", "/two/1", "/two/0"]);
  });

  it("takes room from what can be given up for a session without entries, then drops and counts", () => {
    const ended = [head(), head()];
    const log = new ActivityLog(() => {
      const next = ended.find(({ logCount }) => logCount > 0);
      if (next !== undefined) log.abandon(next);
      return next !== undefined;
    });
    const live = [head(), head(), head()];
    // One kind and two segments have room.
    const bytes = 2 * 68 + 200;
    for (const session of ended) log.append(session, entry(), 10, bytes);
    expect(log.dropped).toBe(0);
    for (const session of live) log.append(session, entry(), 10, bytes);
    expect(ended.map(({ logCount }) => logCount)).toEqual([0, 0]);
    expect(live.map(({ logCount }) => logCount)).toEqual([1, 1, 0]);
    expect(log.dropped).toBe(1);
  });

  it("counts texts and metadata, and drops an entry that is larger than everything without touching others", () => {
    const log = new ActivityLog(never);
    const session = head();
    log.append(session, entry(), 10, 10_000);
    const before = log.bytes;
    log.append(session, entry({ endpoint: `/${"x".repeat(2000)}` }), 10, 10_000);
    expect(log.bytes - before).toBeGreaterThan(4000);
    log.append(session, entry({ metadata: { text: "x".repeat(20_000) } }), 10, 10_000);
    expect(log.dropped).toBe(1);
    expect(log.read(session, ALL).total).toBe(2);
  });

  it("keeps nothing of an entry that it drops", () => {
    const log = new ActivityLog(never);
    const [one, two] = [head(), head()];
    const bytes = 68 + 200;
    log.append(one, entry(), 10, bytes);
    for (let times = 0; times < 5; times++) log.append(two, entry(), 10, bytes);
    expect(log.dropped).toBe(5);
    log.abandon(one);
    log.clean(never);
    expect(log.kinds).toBe(0);
    expect(log.bytes).toBe(0);
  });

  it("uses abandoned timelines before it takes anything from the living", () => {
    const log = new ActivityLog(never);
    const [gone, session] = [head(), head()];
    const bytes = 10 * 68 + 200;
    for (let index = 0; index < 20; index++) log.append(gone, entry(), 100, bytes);
    for (let index = 0; index < 20; index++) log.append(session, entry(), 100, bytes);
    log.abandon(gone);
    for (let index = 0; index < 20; index++) log.append(session, entry(), 100, bytes);
    expect(session.logCount).toBe(40);
    expect(log.dropped).toBe(0);
  });

  it("gives memory back at once when a short timeline is abandoned", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (let index = 0; index < 30; index++) log.append(session, entry(), 1000, MEGABYTE);
    log.abandon(session);
    expect([session.logCount, log.bytes, log.kinds]).toEqual([0, 0, 0]);
  });

  it("gives memory back little by little when a long timeline is abandoned", () => {
    const log = new ActivityLog(never);
    const session = head();
    for (let index = 0; index < 1000; index++) log.append(session, entry(), 1000, MEGABYTE);
    log.abandon(session);
    expect(session.logCount).toBe(0);
    let calls = 0;
    expect(log.clean(() => ++calls > 100)).toBe(false);
    expect(log.bytes).toBeGreaterThan(0);
    expect(log.clean(never)).toBe(true);
    expect(log.bytes).toBe(0);
  });
});
