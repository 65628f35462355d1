import { DatabaseSync } from "node:sqlite";
import type { SessionStore, StoreQuery } from "@kyb/session-core/store";
import { runStoreCases, storeCases } from "@kyb/session-testkit";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SqliteDatabase, sqliteStore } from "../src/index.ts";
import { DRIVERS, openDatabase, type TestDatabase, TestFolder } from "./support/files.ts";
import { sqliteHarness } from "./support/harness.ts";
import { rewritten } from "./support/sabotage.ts";
import {
  commitOf,
  HOUR,
  idOf,
  NO_LIMITS,
  newSession,
  patient,
  queryOf,
  requestsOf,
  set,
  settingsOf,
} from "./support/sessions.ts";

const folder = new TestFolder();
afterAll(() => folder.remove());

describe("A store on a file", () => {
  it("answers at once where nobody is in the way", () => {
    const store = sqliteStore({ path: folder.file() });
    const session = newSession("a");
    expect(store.create(session, NO_LIMITS, patient)).toMatchObject({ status: "created" });
    expect(store.find(session.id, patient)).toMatchObject({ state: { id: session.id } });
    store.close();
  });

  it("finds everything again after a restart: sessions, timelines, numbers, who has ended", async () => {
    const path = folder.file();
    const before = sqliteStore({ path });
    await before.create(newSession("a", { userId: "ann" }), NO_LIMITS, patient);
    await before.create(newSession("b"), NO_LIMITS, patient);
    await before.commit(idOf("a"), commitOf("one", { ops: [set("cart", ["tea"])] }), patient);
    await before.track(requestsOf([idOf("a"), idOf("b")], 1, Date.now()), patient);
    await before.end(idOf("b"), "signed-out", {}, patient);
    const [record, metrics] = [
      await before.find(idOf("a"), patient),
      await before.metrics(patient),
    ];
    await before.close();

    const after = sqliteStore({ path });
    expect(await after.find(idOf("a"), patient)).toEqual(record);
    expect(await after.find(idOf("b"), patient)).toMatchObject({ endReason: "signed-out" });
    expect(await after.metrics(patient)).toEqual(metrics);
    const timeline = await after.activity(
      idOf("a"),
      { limit: 5, offset: 0, cursor: undefined },
      patient,
    );
    expect(timeline?.entries).toHaveLength(1);
    const again = commitOf("one", { ops: [set("cart", [])] });
    expect(await after.commit(idOf("a"), again, patient), "a repeated commit").toMatchObject({
      record: { state: { version: 1 } },
    });
    await after.track(requestsOf([idOf("a")], 1, Date.now()), patient);
    expect(await after.find(idOf("a"), patient), "a repeated batch").toMatchObject({
      requestCount: 1,
    });
    await after.close();
  });

  it("syncs to the disk what the application relies on, and not what is only observed", async () => {
    const database = new DatabaseSync(folder.file());
    const levels: unknown[] = [];
    const watched: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => {
        if (sql === "COMMIT") {
          const commit = database.prepare(sql);
          const level = database.prepare("PRAGMA synchronous");
          return {
            get: () => commit.get(),
            all: () => commit.all(),
            run: () => {
              levels.push((level.get() as { synchronous: number }).synchronous);
              return commit.run();
            },
          };
        }
        return database.prepare(sql);
      },
    };
    const store = sqliteStore({ database: watched });
    const [FULL, NORMAL] = [2, 1];
    const batch = requestsOf([idOf("a")], 1, Date.now());
    await store.create(newSession("a"), NO_LIMITS, patient);
    await store.track(batch, patient);
    await store.commit(idOf("a"), commitOf("one", { ops: [set("a", 1)] }), patient);
    await store.track({ ...batch, sequence: 2 }, patient);
    await store.end(idOf("a"), "revoked", {}, patient);
    expect(levels).toEqual([FULL, NORMAL, FULL, NORMAL, FULL]);
    await store.close();
    database.close();
  });

  it("says so after it was closed, and leaves a database that it was given open", async () => {
    const database = openDatabase("better-sqlite3", folder.file());
    const store = sqliteStore({ database });
    await store.create(newSession("a"), NO_LIMITS, patient);
    await store.close();
    const closed = { name: "SessionError", code: "STORE_UNAVAILABLE" };
    await expect(async () => store.find(idOf("a"), patient)).rejects.toMatchObject(closed);
    await expect(async () => store.subscribe(() => undefined)).rejects.toMatchObject(closed);
    expect(database.prepare("SELECT count(*) AS n FROM kyb_sessions").get()).toEqual({ n: 1 });
    database.close();
  });

  it("shares a file with tables of others, and leaves their user_version alone", async () => {
    const database = openDatabase("node:sqlite", folder.file());
    database.exec(
      "PRAGMA user_version = 42; CREATE TABLE users (id); INSERT INTO users VALUES (1)",
    );
    const store = sqliteStore({ database });
    await store.create(newSession("a"), NO_LIMITS, patient);
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 42 });
    expect(database.prepare("SELECT id FROM users").all()).toEqual([{ id: 1 }]);
    await store.close();
    database.close();
  });
});

describe.each(DRIVERS)("Any text is kept and told apart, on %s:", (driver) => {
  const USERS = [
    "a",
    "a\0",
    "a\0b",
    "\ud800",
    "\udc00",
    "\ufffd",
    'a"',
    "a\\",
    "a\\u0000",
    "😀",
    "a'%_",
  ];

  it("user ids with NUL, halves of characters, quotes and what looks like an escape", async () => {
    const store = sqliteStore({ database: openDatabase(driver, folder.file()) });
    for (const [index, userId] of USERS.entries()) {
      await store.create(
        newSession(`${index}`, { userId, ipAddress: userId, userAgent: userId }),
        NO_LIMITS,
        patient,
      );
    }
    for (const [index, userId] of USERS.entries()) {
      const { records, total } = await store.list(queryOf({ userId }), patient);
      expect(
        records.map(({ state }) => state.id),
        JSON.stringify(userId),
      ).toEqual([idOf(`${index}`)]);
      expect(records[0]?.state).toMatchObject({ userId, ipAddress: userId, userAgent: userId });
      expect(total).toBe(1);
      const found = (await store.list(queryOf({ search: userId, limit: 100 }), patient)).records;
      const expected = USERS.filter((other) => other.startsWith(userId));
      expect(found.map(({ state }) => state.userId).sort()).toEqual(expected.sort());
    }
    expect(await store.endUser("a\0", "revoked", {}, patient)).toMatchObject({
      ended: [idOf("1")],
    });
    await store.close();
  });

  it("data, endpoints and actions", async () => {
    const store = sqliteStore({ database: openDatabase(driver, folder.file()) });
    await store.create(newSession("a"), NO_LIMITS, patient);
    const ops = USERS.map((text) => set(text, text));
    await store.commit(idOf("a"), commitOf("one", { ops }), patient);
    const { items } = requestsOf([idOf("a")], 1, Date.now());
    const [item] = items;
    if (item?.entry === undefined || item.request === undefined) return expect.unreachable();
    const { entry, request } = item;
    const odd = USERS.map((text) => ({
      ...item,
      request: { ...request, endpoint: text },
      entry: { ...entry, endpoint: text, action: text, metadata: { [text]: text } },
    }));
    await store.track({ instance: "\ud800", sequence: 1, items: odd }, patient);
    const record = await store.find(idOf("a"), patient);
    expect({ ...record?.state.metadata }).toEqual(
      Object.fromEntries(USERS.map((text) => [text, text])),
    );
    const query = { limit: 50, offset: 0, cursor: undefined };
    const timeline = await store.activity(idOf("a"), query, patient);
    expect(timeline?.entries.map(({ action }) => action).reverse()).toEqual(USERS);
    const { endpoints } = await store.metrics(patient);
    expect(endpoints.map(({ endpoint }) => endpoint).sort()).toEqual([...USERS].sort());
    await store.close();
  });
});

describe("Among many sessions", () => {
  const COUNT = 3000;
  let now = 0;
  let database: TestDatabase;
  let store: SessionStore;
  const plans = new Map<string, string[]>();

  beforeEach(async () => {
    now = Date.now();
    plans.clear();
    database = openDatabase("node:sqlite", folder.file());
    const watched = rewritten(database, (sql) => {
      if (sql.startsWith("SELECT")) plans.set(sql, []);
      return sql;
    });
    store = sqliteStore({ database: watched });
    store.attach(settingsOf(() => now));
    const made = await store.create(newSession("0"), NO_LIMITS, patient);
    if (made.status !== "created") return expect.unreachable();
    const { record } = made;
    for (let first = 1; first < COUNT; first += 100) {
      const sessions = Array.from({ length: Math.min(100, COUNT - first) }, (_, index) => {
        const number = first + index;
        const userId = number % 2 === 0 ? undefined : `user-${number % 1000}`;
        const id = idOf(`${number}`);
        const ipAddress = number % 100 === 0 ? "192.0.2.77" : "192.0.2.1";
        const state = { ...record.state, id, userId, ipAddress, createdAt: now - number };
        return { record: { ...record, state, lastAccessTime: now }, entries: [] };
      });
      await store.import(sessions, patient);
    }
  });
  afterEach(async () => {
    await store.close();
    database.close();
  });

  const pages = async (query: Partial<StoreQuery>): Promise<string[]> => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list(
        queryOf({ ...query, cursor, offset: cursor === undefined ? (query.offset ?? 0) : 0 }),
        patient,
      );
      found.push(...page.records.map(({ state }) => state.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return found;
  };

  it("a search that matches few or many finds each match once, in order, page by page", async () => {
    const few = await pages({ search: "192.0.2.77", limit: 7 });
    expect(few).toEqual(Array.from({ length: 29 }, (_, index) => idOf(`${(index + 1) * 100}`)));
    expect(await pages({ search: "192.0.2.77", limit: 7, offset: 20 })).toEqual(few.slice(20));
    const all = await pages({ search: "user-", limit: 500 });
    expect(all).toHaveLength(COUNT / 2);
    expect(new Set(all).size).toBe(COUNT / 2);
    expect(await pages({ search: "user-", limit: 400, offset: 1100 })).toEqual(all.slice(1100));
    expect(await pages({ search: "user-", limit: 400, status: "ended" })).toEqual([]);
    expect(await pages({ search: "user-99", limit: 3, userId: "user-991" })).toHaveLength(3);
  });

  it("no list, limit, sweep or number looks at sessions that it does not answer", async () => {
    await store.endUser("user-1", "revoked", {}, patient);
    for (const status of ["active", "ended", "all"] as const) {
      for (const sort of ["createdAt", "lastAccessTime"] as const) {
        for (const direction of ["ascending", "descending"] as const) {
          const first = await store.list(queryOf({ status, sort, direction, limit: 1 }), patient);
          await store.list(
            queryOf({ status, sort, direction, limit: 1, cursor: first.nextCursor }),
            patient,
          );
        }
      }
      await pages({ status, userId: "user-3", limit: 2 });
      await store.list(queryOf({ status, search: "192.0.2.77", limit: 2 }), patient);
    }
    const user = { max: 1, policy: "evict-oldest" } as const;
    await store.create(
      newSession("new", { userId: "user-5" }),
      { maxSessions: COUNT - 10, user },
      patient,
    );
    now += 2 * HOUR;
    while ((await store.sweep({ milliseconds: 50 }, patient)).more);
    await store.metrics(patient);

    const kybTable = /\bkyb_sessions\b/;
    const statements = [...plans.keys()].filter((sql) => kybTable.test(sql));
    expect(statements.length).toBeGreaterThan(20);
    for (const sql of statements) {
      const placeholders = [...sql.matchAll(/\?/g)].map(() => null);
      const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...placeholders) as {
        detail: string;
      }[];
      const details = steps.map(({ detail }) => detail);
      // A scan of an index in its order stops with the page; one of the table does not.
      expect(
        details.filter((step) => /SCAN kyb_sessions(?! USING)/.test(step)),
        sql,
      ).toEqual([]);
      // One user's sessions may be sorted, and so may the few that a search has found.
      if (/user_id = \?|json_each/.test(sql)) continue;
      expect(
        details.filter((step) => step.includes("TEMP B-TREE")),
        sql,
      ).toEqual([]);
    }
  });

  it("sweeps stop when their time is up, go on where they were, and clear what counts no more", async () => {
    await store.track(requestsOf([idOf("1"), idOf("3")], 1, now), patient);
    now += 2 * HOUR;
    let rounds = 0;
    let ended = 0;
    for (let more = true; more; rounds++) {
      const result = await store.sweep({ milliseconds: 0 }, patient);
      ended += result.ended;
      ({ more } = result);
    }
    expect(ended).toBe(COUNT);
    expect(rounds).toBeGreaterThan(COUNT / 100);
    now += 48 * HOUR;
    for (let more = true; more; ) ({ more } = await store.sweep({ milliseconds: 50 }, patient));
    const tables = ["kyb_sessions", "kyb_activity", "kyb_events", "kyb_users_seen", "kyb_batches"];
    for (const table of tables) {
      expect(database.prepare(`SELECT count(*) AS n FROM ${table}`).get(), table).toEqual({ n: 0 });
    }
    const windows =
      "SELECT count(*) AS n FROM kyb_counts WHERE kind IN ('second', 'seen', 'started')";
    expect(database.prepare(windows).get()).toEqual({ n: 0 });
    expect(await store.metrics(patient)).toMatchObject({
      activeSessions: 0,
      totalLength: 0,
      totalRequests: 2,
    });
  });
});

describe("The suite rejects a store", () => {
  const rejected = async (rewrite: (sql: string) => string): Promise<string[]> => {
    const harness = sqliteHarness("node:sqlite", folder, (database) =>
      rewritten(database, rewrite),
    );
    const cases = storeCases.filter(({ topic }) => topic !== "races");
    const results = await runStoreCases(harness, cases);
    return results.flatMap(({ name, error }) => (error === undefined ? [] : [name]));
  };

  it("that finds no deadline that has come", async () => {
    const names = await rejected((sql) =>
      sql.replace("deadline <= ? AND (deadline", "deadline < -1 + ? AND (deadline"),
    );
    expect(names).toContain(
      "sweep ends all that is due with the right reason, once, and nothing else",
    );
  });

  it("that forgets which batches it has seen", async () => {
    const names = await rejected((sql) =>
      sql.replace("INSERT OR REPLACE INTO kyb_batches", "INSERT OR IGNORE INTO kyb_batches"),
    );
    expect(names).toContain(
      "the same batch again is answered and not applied; the next one and another sender's are (F-17)",
    );
  });

  it("that lists the ended among the live", async () => {
    const names = await rejected((sql) =>
      sql
        .replace(/INDEXED BY kyb_live_\w+ WHERE/g, "WHERE")
        .replace(/ended_at IS NULL AND deadline > \?/g, "deadline > ?"),
    );
    expect(names).toContain("status and user filter the sessions, and the total is exact for both");
  });
});
