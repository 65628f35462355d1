import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SessionStore } from "@kyb/session-core/store";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SqliteDatabase, type SqliteStoreOptions, sqliteStore } from "../src/index.ts";
import { DRIVERS, openDatabase, type TestDatabase, TestFolder } from "./support/files.ts";
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

describe("A record that this program did not write", () => {
  let now = Date.now();
  let database: TestDatabase;
  let store: SessionStore;
  const activity = { limit: 10, offset: 0, cursor: undefined };

  beforeEach(async () => {
    now = Date.now();
    database = openDatabase("node:sqlite", folder.file());
    store = sqliteStore({ database });
    store.attach(settingsOf(() => now));
    await store.create(newSession("bad", { userId: "ann" }), NO_LIMITS, patient);
    await store.create(newSession("good", { userId: "ann" }), NO_LIMITS, patient);
    await store.track(requestsOf([idOf("bad")], 1, now), patient);
  });
  afterEach(async () => {
    await store.close();
    database.close();
  });

  const damage = (what: string): void => {
    database.prepare(`UPDATE kyb_sessions SET ${what} WHERE id = ?`).run(idOf("bad"));
  };
  const stored = (): unknown =>
    database.prepare("SELECT * FROM kyb_sessions WHERE id = ?").get(idOf("bad"));

  it.each([
    ["of another version", "record = 2"],
    ["cut off", "state = substr(state, 1, 20)"],
    ["with foreign data", "data = '[]'"],
    ["without a secret", "state = '{}'"],
    ["with a blob for text", "state = x'00ff'"],
    ["with text for a time", "created_at = 'yesterday'"],
    ["with a half of a user id", "user_id = 'an\\'"],
    ["with foreign commits", "op_ids = 'null'"],
  ])("is refused %s, left as it is, and hides no other (R-72)", async (_, change) => {
    damage(change);
    const before = stored();
    const refused = { name: "SessionError", code: "RECORD_UNREADABLE" };
    const call = (run: () => unknown) => expect(async () => run()).rejects.toMatchObject(refused);
    if (!change.startsWith("op_ids")) {
      await call(() => store.find(idOf("bad"), patient));
      const { records } = await store.list(queryOf(), patient);
      expect(records.map(({ state }) => state.id)).toEqual([idOf("good")]);
    }
    await call(() => store.commit(idOf("bad"), commitOf("one", { ops: [set("a", 1)] }), patient));
    expect(stored()).toEqual(before);

    expect(await store.end(idOf("bad"), "revoked", {}, patient)).toMatchObject({ status: "ended" });
    expect(await store.end(idOf("bad"), "revoked", {}, patient)).toEqual({ status: "gone" });
    expect(await store.metrics(patient)).toMatchObject({ activeSessions: 1 });
  });

  it("of another version is neither touched nor ended for its age, for it may be another program's (F-28)", async () => {
    damage("record = 2");
    const before = stored();
    now += 2 * HOUR;
    await store.track(requestsOf([idOf("bad")], 2, now), patient);
    expect(await store.sweep({ milliseconds: 50 }, patient)).toEqual({ ended: 1, more: false });
    expect(stored()).toEqual(before);
    expect(await store.endUser("ann", "revoked", {}, patient)).toMatchObject({
      ended: [idOf("bad")],
    });
  });

  it("with a damaged time keeps no sweep from the others", async () => {
    damage("deadline = 1, idle_timeout = 'long'");
    now += 2 * HOUR;
    expect(await store.sweep({ milliseconds: 50 }, patient)).toEqual({ ended: 1, more: false });
  });

  it("in a timeline is refused, and goes with the session", async () => {
    database.exec("UPDATE kyb_activity SET entry = '{'");
    await expect(async () => store.activity(idOf("bad"), activity, patient)).rejects.toMatchObject({
      code: "RECORD_UNREADABLE",
    });
    await store.end(idOf("bad"), "revoked", {}, patient);
    now += 2 * HOUR;
    await store.sweep({ milliseconds: 50 }, patient);
    expect(database.prepare("SELECT count(*) AS n FROM kyb_activity").get()).toEqual({ n: 0 });
  });
});

describe("A file that cannot be used", () => {
  const codeOf = async (options: SqliteStoreOptions): Promise<unknown> => {
    const store = sqliteStore(options);
    try {
      await store.create(newSession("a"), NO_LIMITS, patient);
    } catch (error) {
      expect(error).toMatchObject({ name: "SessionError", cause: expect.anything() });
      return (error as { code: unknown }).code;
    } finally {
      await store.close();
    }
    return "no error";
  };

  it("because its folder is missing, or it is a folder, is an operator's to mend", async () => {
    expect(await codeOf({ path: join(folder.path, "nowhere", "a.db") })).toBe(
      "STORE_MISCONFIGURED",
    );
    const path = folder.file();
    mkdirSync(path);
    expect(await codeOf({ path })).toBe("STORE_MISCONFIGURED");
  });

  it("because it is none of SQLite's is left as it is", async () => {
    const path = folder.file();
    writeFileSync(
      path,
      "These are somebody's notes, and they are longer than a header.\n".repeat(80),
    );
    const before = readFileSync(path);
    expect(await codeOf({ path })).toBe("STORE_MISCONFIGURED");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("because it is damaged says so", async () => {
    const path = folder.file();
    const store = sqliteStore({ path });
    await store.create(newSession("b"), NO_LIMITS, patient);
    await store.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 4096));
    expect(await codeOf({ path })).toBe("STORE_MISCONFIGURED");
  });

  it("because it may not be written says so", async () => {
    const path = folder.file();
    const store = sqliteStore({ path });
    await store.create(newSession("b"), NO_LIMITS, patient);
    await store.close();
    const database = new DatabaseSync(path, { readOnly: true });
    expect(await codeOf({ database })).toBe("STORE_MISCONFIGURED");
    database.close();
  });

  it.each(DRIVERS)(
    "because its disk is full is STORE_FULL on %s, and works again when there is room",
    async (driver) => {
      const database = openDatabase(driver, folder.file());
      const store = sqliteStore({ database });
      await store.create(newSession("kept"), NO_LIMITS, patient);
      const { page_count: pages } = database.prepare("PRAGMA page_count").get() as {
        page_count: number;
      };
      database.prepare(`PRAGMA max_page_count = ${pages}`).get();
      const fill = commitOf("big", { ops: [set("big", "x".repeat(20_000))] });
      await expect(async () => store.commit(idOf("kept"), fill, patient)).rejects.toMatchObject({
        code: "STORE_FULL",
        cause: expect.any(Error),
      });
      expect(await store.find(idOf("kept"), patient)).toMatchObject({ state: { version: 0 } });
      expect(await store.end(idOf("kept"), "revoked", {}, patient)).toMatchObject({
        status: "ended",
      });
      database.prepare("PRAGMA max_page_count = 1000000").get();
      await store.create(newSession("new"), NO_LIMITS, patient);
      expect(await store.commit(idOf("new"), fill, patient)).toMatchObject({ status: "applied" });
      await store.close();
      database.close();
    },
  );

  it("because a newer version of this package made its tables is refused and left as it is (F-28)", async () => {
    const path = folder.file();
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE kyb_meta (schema INTEGER); INSERT INTO kyb_meta VALUES (2)");
    const store = sqliteStore({ path });
    await expect(async () => store.find(idOf("a"), patient)).rejects.toMatchObject({
      code: "STORE_MISCONFIGURED",
      message: expect.stringContaining("version 2"),
    });
    await store.close();
    expect(database.prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
    database.close();
  });

  it("because its tables were taken away says so", async () => {
    const database = openDatabase("better-sqlite3", folder.file());
    const store = sqliteStore({ database });
    await store.create(newSession("a"), NO_LIMITS, patient);
    database.exec("DROP TABLE kyb_activity");
    await expect(async () =>
      store.track(requestsOf([idOf("a")], 1, Date.now()), patient),
    ).rejects.toMatchObject({ code: "STORE_MISCONFIGURED" });
    database.close();
    await expect(async () => store.find(idOf("a"), patient)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
  });

  it("because it is in memory, or its numbers are bigints, is refused", async () => {
    const memory = openDatabase("better-sqlite3", ":memory:");
    const store = sqliteStore({ database: memory });
    await expect(async () => store.find(idOf("a"), patient)).rejects.toMatchObject({
      code: "STORE_MISCONFIGURED",
    });
    memory.close();
    const database = new DatabaseSync(folder.file());
    const bigints: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => {
        const statement = database.prepare(sql);
        statement.setReadBigInts(true);
        return statement;
      },
    };
    await expect(async () =>
      sqliteStore({ database: bigints }).metrics(patient),
    ).rejects.toMatchObject({
      code: "STORE_MISCONFIGURED",
    });
    database.close();
  });
});

describe("Options", () => {
  it.each([
    ["nothing", {}],
    ["both", { path: "a.db", database: {} }],
    ["an empty path", { path: "" }],
    ["a database in memory", { path: ":memory:" }],
    ["a path that is no text", { path: 7 }],
    ["a database that is none", { database: {} }],
    ["an unknown option", { path: "a.db", wal: true }],
  ])("are refused when they are wrong: %s", (_, options) => {
    expect(() => sqliteStore(options as unknown as SqliteStoreOptions)).toThrow(
      expect.objectContaining({ code: "INVALID_CONFIG" }),
    );
  });

  it("name Node's version and the other driver where there is no node:sqlite", () => {
    const missing = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    const path = folder.file();
    expect(() => sqliteStore({ path })).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringMatching(/22\.13.*better-sqlite3/),
      }),
    );
    missing.mockRestore();
  });
});
