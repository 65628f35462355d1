import { describeWithServer } from "@kyb/session-testkit";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresStore } from "../src/index.ts";
import { call, codeOf, NO_LIMITS, newSession, thrownBy } from "./fixtures.ts";
import { Bench } from "./harness.ts";
import { eventually } from "./patience.ts";

describeWithServer("postgres", "failures", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
  });
  afterAll(() => bench.stop());

  /** A pool of its own, for the time of a test. */
  async function withPool(config: pg.PoolConfig, run: (pool: pg.Pool) => Promise<void>) {
    const pool = new pg.Pool({ connectionString: server().url, ...config });
    pool.on("error", () => undefined);
    try {
      await run(pool);
    } finally {
      await pool.end();
    }
  }

  it("of user, database or schema are for an operator to mend", async () => {
    await bench.pool.query("CREATE ROLE stranger LOGIN");
    const database = new URL(server().url);
    database.pathname = "/nowhere";
    const user = new URL(server().url);
    user.username = "nobody_known";
    const stranger = new URL(server().url);
    stranger.username = "stranger";
    for (const [connectionString, schema] of [
      [database.href, bench.schema],
      [user.href, bench.schema],
      [stranger.href, bench.schema],
      [server().url, "nowhere"],
    ] as const) {
      await withPool({ connectionString }, async (pool) => {
        const store = postgresStore({ pool, schema });
        expect(await codeOf(() => store.find("x", call)), connectionString).toBe(
          "STORE_MISCONFIGURED",
        );
      });
    }
  });

  it("of a pool whose connections begin with another isolation level are told at once", async () => {
    const options = "-c default_transaction_isolation=serializable";
    await withPool({ options }, async (pool) => {
      const store = postgresStore({ pool, schema: bench.schema });
      await expect(store.find("x", call)).rejects.toMatchObject({
        code: "STORE_MISCONFIGURED",
        message: expect.stringContaining("default_transaction_isolation"),
      });
    });
  });

  it("of a pool without a free connection pass when there is one again", async () => {
    await withPool({ max: 1, connectionTimeoutMillis: 50 }, async (pool) => {
      const store = postgresStore({ pool, schema: bench.schema });
      const taken = await pool.connect();
      expect(await codeOf(() => store.find("x", call))).toBe("STORE_UNAVAILABLE");
      taken.release();
      expect(await store.find("x", call)).toBeUndefined();
    });
  });

  it("of a caller who waits no longer leave nothing that is executed later", async () => {
    await withPool({ max: 1 }, async (pool) => {
      const store = postgresStore({ pool, schema: bench.schema });
      await store.metrics(call);
      const taken = await pool.connect();
      const waiting = new AbortController();
      const created = store.create(newSession("late"), NO_LIMITS, { signal: waiting.signal });
      waiting.abort();
      taken.release();
      expect(await codeOf(() => created)).toBe("STORE_UNAVAILABLE");
      expect(await store.find(newSession("late").id, call)).toBeUndefined();
    });
  });

  it("of a statement that is given up cost its connection, not the pool", async () => {
    await withPool({ max: 1 }, async (pool) => {
      const store = postgresStore({ pool, schema: bench.schema });
      await store.create(newSession("locked"), NO_LIMITS, call);
      const { id } = newSession("locked");
      const other = new pg.Client(server().url);
      await other.connect();
      await other.query("BEGIN");
      await other.query(`SELECT 1 FROM "${bench.schema}".kyb_session WHERE id = $1 FOR UPDATE`, [
        id,
      ]);
      const waiting = new AbortController();
      const ended = store.end(id, "revoked", {}, { signal: waiting.signal });
      await eventually(5000, async () => {
        const { rows } = await other.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        );
        if (rows.length === 0) throw new Error("nobody waits yet");
      });
      waiting.abort();
      expect(await codeOf(() => ended)).toBe("STORE_UNAVAILABLE");
      expect((await store.find(id, call))?.state.id).toBe(id);
      await other.query("ROLLBACK");
      await other.end();
    });
  });

  it("of the server pass within two seconds of its return, and what was acknowledged is there (F-13)", async () => {
    await withPool({ connectionTimeoutMillis: 500 }, async (pool) => {
      const store = postgresStore({ pool, schema: bench.schema });
      await store.create(newSession("kept"), NO_LIMITS, call);
      await server().kill();
      // Connections may live a moment longer than the server.
      await eventually(5000, async () => {
        expect(await codeOf(() => store.find(newSession("kept").id, call))).toBe(
          "STORE_UNAVAILABLE",
        );
      });
      await server().restart();
      const found = await eventually(2000, async () => store.find(newSession("kept").id, call));
      expect(found?.state.secretHash).toBe(newSession("kept").secretHash);
    });
  });

  it("end every method of a store that was closed", async () => {
    const store = bench.store();
    await store.close();
    await store.close();
    for (const method of [
      () => store.find("x", call),
      () => store.create(newSession("a"), NO_LIMITS, call),
      () => store.metrics(call),
      () => store.subscribe(() => undefined),
      () => store.migrate(),
    ]) {
      expect(await codeOf(method)).toBe("STORE_UNAVAILABLE");
    }
  });
});

describe("an error of the driver", () => {
  const failing = (code: string) =>
    postgresStore({
      pool: {
        query: async () => {
          throw Object.assign(new Error("words of the driver"), { code });
        },
      },
    });

  it("is told as what it means, with the driver's own as its cause", async () => {
    const meanings: Record<string, string> = {
      "28P01": "STORE_MISCONFIGURED",
      "28000": "STORE_MISCONFIGURED",
      "3D000": "STORE_MISCONFIGURED",
      "3F000": "STORE_MISCONFIGURED",
      "42P01": "STORE_MISCONFIGURED",
      "42883": "STORE_MISCONFIGURED",
      "42501": "STORE_MISCONFIGURED",
      "53100": "STORE_FULL",
      "53200": "STORE_FULL",
      "53300": "STORE_UNAVAILABLE",
      "57P01": "STORE_UNAVAILABLE",
      "57P03": "STORE_UNAVAILABLE",
      "57014": "STORE_UNAVAILABLE",
      "25006": "STORE_UNAVAILABLE",
      ECONNREFUSED: "STORE_UNAVAILABLE",
      XX000: "STORE_UNAVAILABLE",
    };
    for (const [code, expected] of Object.entries(meanings)) {
      const error = await thrownBy(() => failing(code).metrics(call));
      expect(error, code).toMatchObject({ code: expected, cause: { code } });
      expect(String(error)).not.toContain("words of the driver");
    }
  });
});

describe("options", () => {
  const pool = { query: async () => ({ rows: [] }) };

  it("that are wrong are named with the rule and the value (R-61)", () => {
    for (const [options, words] of [
      [{ pool: {} }, "pool"],
      [{ pool, schema: "" }, "schema must be 1 to 40 letters"],
      [{ pool, schema: 'x"; DROP TABLE y; --' }, "schema"],
      [{ pool, table: "a".repeat(41) }, "table"],
      [{ pool, table: 7 }, "table"],
      [{ pool, listener: {} }, "listener"],
      [{ pool, clock: 7 }, "clock"],
      [{ pool, prefix: "x" }, "prefix"],
      [undefined, "options"],
    ] as const) {
      const make = () => postgresStore(options as never);
      expect(make).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
      expect(make).toThrow(words);
    }
  });
});
