import { describeWithServer, runStoreCases, storeCases } from "@kyb/session-testkit";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresStore } from "../src/index.ts";
import { call, NO_LIMITS, newSession } from "./fixtures.ts";
import { Bench } from "./harness.ts";
import { eventually } from "./patience.ts";

describeWithServer("postgres", "concurrency", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url, {
      options: "-c synchronous_commit=off -c deadlock_timeout=20ms",
    });
  });
  afterAll(() => bench.stop());

  it("a deadlock with somebody else's transaction is made again, and done once", async () => {
    const store = bench.store();
    const ids = ["1", "2"].map((label) => newSession(label).id);
    for (const label of ["1", "2"])
      await store.create(newSession(label, { userId: "ann" }), NO_LIMITS, call);
    const other = new pg.Client(server().url);
    await other.connect();
    await other.query("SET deadlock_timeout = '1min'");
    const lock = (id: string | undefined) =>
      other.query(`SELECT 1 FROM "${bench.schema}".kyb_session WHERE id = $1 FOR UPDATE`, [id]);
    await other.query("BEGIN");
    await lock(ids[1]);
    // It takes the first session and waits for the second, which the other transaction has.
    const ended = store.endUser("ann", "revoked", {}, call);
    await eventually(5000, async () => {
      const { rows } = await other.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      );
      if (rows.length === 0) throw new Error("nobody waits yet");
    });
    await lock(ids[0]);
    await other.query("COMMIT");
    expect([...(await ended).ended].sort()).toEqual(ids);
    expect((await store.metrics(call)).endedByReason.revoked).toBe(2);
    const { rows } = await other.query(
      "SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'",
    );
    await other.end();
    await eventually(5000, async () => {
      const after = await bench.pool.query(
        "SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'",
      );
      expect(
        (after.rows[0] as { deadlocks: number }).deadlocks,
        `was ${JSON.stringify(rows)}`,
      ).toBeGreaterThan(0);
    });
  });

  it("sweepers side by side end each session once, and forget each once", async () => {
    await bench.empty();
    let time = Date.UTC(2040, 0, 1);
    const stores = Array.from({ length: 4 }, () => bench.store({ clock: { now: () => time } }));
    const [first] = stores;
    if (first === undefined) return expect.unreachable();
    const heard: string[] = [];
    first.subscribe(({ type, sessionId }) => {
      if (type === "ended") heard.push(sessionId);
    });
    for (let index = 0; index < 900; index += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, each) =>
          first.create(newSession(`s${index + each}`), NO_LIMITS, call),
        ),
      );
    }
    time += 3_600_000;
    const sweepAll = async (): Promise<number> => {
      const ended = await Promise.all(
        stores.map(async (store) => {
          let total = 0;
          for (;;) {
            const { ended, more } = await store.sweep({ milliseconds: 5 }, call);
            total += ended;
            if (!more) return total;
          }
        }),
      );
      return ended.reduce((sum, each) => sum + each, 0);
    };
    expect(await sweepAll()).toBe(900);
    await eventually(5000, async () => expect(heard).toHaveLength(900));
    expect(new Set(heard).size).toBe(900);
    expect(await first.metrics(call)).toMatchObject({
      activeSessions: 0,
      endedByReason: { idle: 900 },
    });
    time += 86_400_000;
    expect(await sweepAll()).toBe(0);
    expect(await bench.count(`"${bench.schema}".kyb_session`)).toBe(0);
    const { rows } = await bench.pool.query(
      `SELECT sum(ended)::int AS ended FROM "${bench.schema}".kyb_session_counters`,
    );
    expect(rows).toEqual([{ ended: 0 }]);
  });

  it("everything at once, from four processes' stores, ends without an error and with numbers that agree", async () => {
    await bench.empty();
    const stores = Array.from({ length: 4 }, () => bench.store());
    const random = (below: number) => Math.floor(Math.random() * below);
    const signIn = (name: string) => ({
      kind: "sign-in" as const,
      secretHash: `hash ${name}`,
      userId: `user ${random(3)}`,
      keep: true as const,
      idleTimeout: 3_600_000,
      absoluteTimeout: 86_400_000,
      limit: { max: 4, policy: "evict-oldest" as const },
    });
    await Promise.all(
      stores.map(async (store, worker) => {
        for (let turn = 0; turn < 60; turn++) {
          const name = `${worker} ${turn}`;
          const id = newSession(`${worker} ${random(turn + 1)}`).id;
          const user = { max: 4, policy: "evict-oldest" as const };
          await store.create(
            newSession(name, { userId: turn % 2 ? `user ${random(3)}` : undefined }),
            { maxSessions: 40, user },
            call,
          );
          const record = await store.find(id, call);
          const commit = {
            opId: name,
            epoch: record?.state.epoch ?? 0,
            secretHash: undefined,
            version: undefined,
            ops: [],
            maxMetadataBytes: 1000,
          };
          await store.commit(id, { ...commit, change: signIn(name) }, call);
          const ids = Array.from(
            { length: 10 },
            () => newSession(`${random(4)} ${random(turn + 1)}`).id,
          );
          const request = { endpoint: `/${random(9)}`, statusCode: 200, duration: 1 };
          await store.track(
            {
              instance: `w${worker}`,
              sequence: turn + 1,
              items: ids.map((each) => ({
                id: each,
                seenAt: Date.now(),
                access: true,
                active: true,
                confirm: true,
                request,
                entry: undefined,
              })),
            },
            call,
          );
          if (turn % 10 === 9) await store.endUser(`user ${random(3)}`, "revoked", {}, call);
        }
      }),
    );
    const [store] = stores;
    if (store === undefined) return expect.unreachable();
    const metrics = await store.metrics(call);
    const { rows } =
      await bench.pool.query(`SELECT count(*)::int AS live, count(user_id)::int AS users,
      (SELECT max(n)::int FROM (SELECT count(*) AS n FROM "${bench.schema}".kyb_session WHERE ended_at IS NULL AND user_id IS NOT NULL GROUP BY user_id) u) AS most
      FROM "${bench.schema}".kyb_session WHERE ended_at IS NULL`);
    const [{ live, users, most }] = rows as [{ live: number; users: number; most: number | null }];
    expect(metrics).toMatchObject({
      activeSessions: live,
      signedInSessions: users,
      totalRequests: 2400,
    });
    expect(live).toBeLessThanOrEqual(40);
    expect(most ?? 0).toBeLessThanOrEqual(4);
  });
});

/** A function of the database, and what is taken out of it. */
const SABOTAGE: Readonly<
  Record<string, readonly [name: string, from: string, to: string, rejectedBy: string]>
> = {
  "does not look at the epoch": [
    "commit",
    "(p->>'epoch')::float8 <> s.epoch",
    "false",
    "a commit with another epoch answers superseded and writes nothing (R-21, F-04)",
  ],
  "does not remember commits": [
    "commit",
    "p->>'opId' = ANY (s.recent_ops)",
    "false",
    "the same opId again answers applied with the record as it now is, and applies nothing twice (F-17)",
  ],
  "does not take the user's lock": [
    "create",
    "hashtextextended(v_user,",
    "hashtextextended(p->>'id',",
    "100 sign-ins at once with a limit of 5 that rejects let in exactly 5 (F-07, R-25)",
  ],
  "does not take the lock of the room": [
    "create",
    "hashtextextended('room',",
    "hashtextextended(p->>'id',",
    "no number of creations at once leaves more than maxSessions (R-80)",
  ],
  "writes to what has ended": [
    "commit",
    "NOT FOUND OR s.ended_at IS NOT NULL",
    "NOT FOUND",
    "a commit to a session that has ended answers gone and writes nothing (R-26)",
  ],
};

describeWithServer(
  "postgres",
  "a database whose function is broken is rejected by the suite: it",
  (server) => {
    for (const [what, [name, from, to, rejectedBy]] of Object.entries(SABOTAGE)) {
      it(what, async () => {
        const bench = await Bench.on(server().url);
        const { rows } = await bench.pool.query("SELECT pg_get_functiondef($1::regproc) AS text", [
          `"${bench.schema}".kyb_session_${name}`,
        ]);
        const { text } = rows[0] as { text: string };
        expect(text).toContain(from);
        const cases = storeCases.filter((each) => each.name === rejectedBy);
        expect(
          (await runStoreCases({ open: () => bench.open() }, cases))[0]?.error,
        ).toBeUndefined();
        // The time between looking and writing is long enough to come between.
        await bench.pool.query(
          text
            .replaceAll(from, to)
            .replaceAll("v_active := v_active -", "PERFORM pg_sleep(0.02); v_active := v_active -"),
        );
        const [result] = await runStoreCases({ open: () => bench.open() }, cases);
        expect(result?.error).toMatchObject({ name: "AssertionError" });
        await bench.stop();
      });
    }
  },
);

describe("a transaction that PostgreSQL undid", () => {
  it("is made again until the caller gives up", async () => {
    let asked = 0;
    const pool = {
      query: async (text: string) => {
        if (text.includes("_meta")) return { rows: [{ answer: '[1,"read committed",false]' }] };
        asked++;
        throw Object.assign(new Error("could not serialize access"), { code: "40001" });
      },
    };
    const waiting = new AbortController();
    const store = postgresStore({ pool });
    const found = store.find("x", { signal: waiting.signal });
    await eventually(2000, async () => expect(asked).toBeGreaterThan(2));
    waiting.abort();
    await expect(found).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      cause: { code: "40001" },
    });
  });
});
