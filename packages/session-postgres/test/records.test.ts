import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { PostgresStore } from "../src/index.ts";
import { call, codeOf, NO_LIMITS, newSession, queryOf, thrownBy } from "./fixtures.ts";
import { Bench } from "./harness.ts";

/** What somebody else, or another version, may have left in a row. */
const DAMAGE: Readonly<Record<string, string>> = {
  "a newer version": "record_version = 2",
  "an older version": "record_version = 0",
  "a user that is no JSON": "user_id = 'ann'",
  "an address that is no text": "ip_address = '7'",
  "data that is no JSON": "data_keys = '{\"\\\"a\\\"\"}', data_values = '{oops}'",
  "data that repeats the syntax": 'data_keys = \'{"\\"a\\""}\', data_values = \'{"1,\\"b\\":2}"}\'',
};

describeWithServer("postgres", "a record that cannot be read", (server) => {
  let bench: Bench;
  let store: PostgresStore;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());
  beforeEach(async () => {
    await bench.empty();
    store = bench.store();
    await store.create(newSession("bad", { userId: "ann" }), NO_LIMITS, call);
    await store.create(newSession("good", { userId: "ann" }), NO_LIMITS, call);
  });

  const { id } = newSession("bad");
  const row = async () => {
    const table = `"${bench.schema}".kyb_session`;
    const { rows } = await bench.pool.query(`SELECT * FROM ${table} WHERE id = $1`, [id]);
    return rows;
  };
  const commit = {
    opId: "op",
    epoch: 0,
    secretHash: undefined,
    version: undefined,
    ops: [{ kind: "set", key: "x", value: 1, bytes: 1 }],
    maxMetadataBytes: 1000,
    change: undefined,
  } as const;

  for (const [what, change] of Object.entries(DAMAGE)) {
    it(`because of ${what} is refused, left as it is, not listed, and can be ended (R-72, F-28)`, async () => {
      await bench.pool.query(
        `UPDATE "${bench.schema}".kyb_session SET ${change} WHERE id = '${id}'`,
      );
      const before = await row();
      const error = await thrownBy(() => store.find(id, call));
      expect(error).toMatchObject({ code: "RECORD_UNREADABLE" });
      expect(String(error)).toContain(id);
      expect(await codeOf(() => store.commit(id, commit, call))).toBe("RECORD_UNREADABLE");
      expect(await row(), "nothing was written").toEqual(before);
      expect(
        await codeOf(() =>
          store.create(newSession("bad", { secretHash: "another" }), NO_LIMITS, call),
        ),
      ).toBe("STORE_UNAVAILABLE");

      const listed = await store.list(queryOf(), call);
      expect(listed.records.map(({ state }) => state.id)).toEqual([newSession("good").id]);
      await store.sweep({ milliseconds: 50 }, call);
      expect(await row(), "nor by a sweep").toEqual(before);

      expect(await store.end(id, "revoked", {}, call)).toMatchObject({ status: "ended" });
      expect(await store.end(id, "revoked", {}, call)).toEqual({ status: "gone" });
      expect((await store.metrics(call)).activeSessions).toBe(1);
    });
  }

  it("of another version is neither swept nor forgotten, and keeps the pages going", async () => {
    await bench.pool.query(
      `UPDATE "${bench.schema}".kyb_session SET record_version = 2, check_at = 0, last_activity = 0, absolute_end = 1 WHERE id = '${id}'`,
    );
    const before = await row();
    for (let times = 0; times < 2; times++) await store.sweep({ milliseconds: 50 }, call);
    await store.track(
      {
        instance: "i",
        sequence: 1,
        items: [
          {
            id,
            seenAt: 5,
            access: true,
            active: true,
            confirm: true,
            request: undefined,
            entry: undefined,
          },
        ],
      },
      call,
    );
    expect(await row()).toEqual(before);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list(queryOf({ limit: 1, cursor }), call);
      seen.push(...page.records.map(({ state }) => state.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual([newSession("good").id]);
  });
});

describeWithServer("postgres", "text of any kind", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());

  const USERS = [
    "a\0",
    "a",
    "a\ud800",
    "a\udc00",
    "a'",
    'a"',
    "a\\",
    "a\\u0000",
    "a{}",
    "漢",
    "😀",
    "x".repeat(5000),
    `${"x".repeat(5000)}y`,
    "a%",
    "A",
  ];

  it("keeps users apart, in lists, searches, limits and revocations", async () => {
    const store = bench.store();
    const user = { max: 1, policy: "reject" as const };
    for (const [index, userId] of USERS.entries()) {
      const session = newSession(`u${index}`, {
        userId,
        ipAddress: `\0${index}`,
        userAgent: userId,
      });
      expect((await store.create(session, { maxSessions: undefined, user }, call)).status).toBe(
        "created",
      );
    }
    for (const [index, userId] of USERS.entries()) {
      const { id } = newSession(`u${index}`);
      expect((await store.find(id, call))?.state).toMatchObject({
        userId,
        userAgent: userId,
        ipAddress: `\0${index}`,
      });
      const page = await store.list(queryOf({ userId }), call);
      expect(page.records.map(({ state }) => state.id)).toEqual([id]);
      expect(page.total).toBe(1);
      const found = await store.list(queryOf({ search: `\0${index}` }), call);
      expect(found.records.map(({ state }) => state.id)).toEqual([id]);
    }
    for (const search of ["a", "a\\", "x".repeat(4999), "漢", "a\0", "😀", "A", "b"]) {
      const expected = USERS.flatMap((userId, index) =>
        userId.startsWith(search) ? [newSession(`u${index}`).id] : [],
      );
      const page = await store.list(queryOf({ search }), call);
      expect(page.records.map(({ state }) => state.id).sort(), search.slice(0, 9)).toEqual(
        expected.sort(),
      );
    }
    for (const [index, userId] of USERS.entries()) {
      const { ended } = await store.endUser(userId, "revoked", {}, call);
      expect(ended).toEqual([newSession(`u${index}`).id]);
    }
  });

  it("that cannot be an id finds nothing, and is no error", async () => {
    const store = bench.store();
    for (const id of ["\0", "a\0b", "\ud800", "'; DROP TABLE x; --", ""]) {
      expect(await store.find(id, call)).toBeUndefined();
      expect(await store.end(id, "revoked", {}, call)).toEqual({ status: "gone" });
      expect((await store.list(queryOf({ search: id === "" ? "\0" : id }), call)).records).toEqual(
        [],
      );
    }
  });

  it("is kept in timelines and counted as endpoints, however long", async () => {
    await bench.empty();
    const store = bench.store();
    await store.create(newSession("a"), NO_LIMITS, call);
    const { id } = newSession("a");
    const endpoint = `/\0\ud800${"漢".repeat(2000)}`;
    const entry = {
      timestamp: 1,
      action: "request",
      endpoint,
      method: "\0",
      statusCode: 200,
      duration: 1,
      requestSize: 0,
      responseSize: 0,
      metadata: { "k\0": ["\udfff"] },
    };
    const request = { endpoint, statusCode: 200, duration: 1 };
    await store.track(
      {
        instance: "\0i",
        sequence: 1,
        items: [{ id, seenAt: 1, access: true, active: true, confirm: true, request, entry }],
      },
      call,
    );
    expect(
      (await store.activity(id, { limit: 10, offset: 0, cursor: undefined }, call))?.entries,
    ).toEqual([entry]);
    expect((await store.metrics(call)).endpoints).toEqual([{ endpoint, requests: 1 }]);
  });
});
