import { readFile } from "node:fs/promises";
import { describeWithServer } from "@kyb/session-testkit";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { namesOf } from "../src/identifiers.ts";
import { postgresStore } from "../src/index.ts";
import { migrationFile } from "../src/schema/migration.ts";
import { call, codeOf, NO_LIMITS, newSession, queryOf, thrownBy } from "./fixtures.ts";

const FILE = new URL("../sql/postgres.sql", import.meta.url);

describeWithServer("postgres", "migration", (server) => {
  let pool: pg.Pool;
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: server().url });
  });
  afterAll(() => pool.end());

  it("makes schema, tables and functions, and changes nothing when it is run again", async () => {
    const store = postgresStore({ pool, schema: "again", table: "visits" });
    await store.migrate();
    const { id } = newSession("a");
    await store.create(newSession("a"), NO_LIMITS, call);
    await store.migrate();
    expect((await store.find(id, call))?.state.id).toBe(id);
  });

  it("is safe when many processes run it at the same time", async () => {
    const pools = Array.from({ length: 6 }, () => new pg.Pool({ connectionString: server().url }));
    await Promise.all(pools.map((each) => postgresStore({ pool: each, schema: "many" }).migrate()));
    const store = postgresStore({ pool, schema: "many" });
    await store.create(newSession("a"), NO_LIMITS, call);
    expect((await store.metrics(call)).activeSessions).toBe(1);
    await Promise.all(pools.map((each) => each.end()));
  });

  it("is what the SQL file in the package does, run as it is", async () => {
    expect(await readFile(FILE, "utf8")).toBe(migrationFile(namesOf("public", "kyb_session")));
    await pool.query(await readFile(FILE, "utf8"));
    const store = postgresStore({ pool });
    await store.create(newSession("a"), NO_LIMITS, call);
    await store.migrate();
    expect((await store.list(queryOf(), call)).total).toBe(1);
  });

  it("is asked for in words where it is missing, and the store works as soon as it was run", async () => {
    const store = postgresStore({ pool, schema: "late" });
    for (const method of [
      () => store.find("x", call),
      () => store.create(newSession("a"), NO_LIMITS, call),
      () => store.metrics(call),
    ]) {
      const error = await thrownBy(method);
      expect(error).toMatchObject({ code: "STORE_MISCONFIGURED" });
      expect(String(error)).toContain("await store.migrate()");
    }
    await postgresStore({ pool, schema: "late" }).migrate();
    expect(await store.find("x", call)).toBeUndefined();
  });

  it("refuses tables of another version, older or newer, and leaves them as they are (F-28)", async () => {
    await postgresStore({ pool, schema: "versions" }).migrate();
    for (const version of [0, 99]) {
      await pool.query(`UPDATE versions.kyb_session_meta SET version = ${version}`);
      const store = postgresStore({ pool, schema: "versions" });
      const error = await thrownBy(() => store.find("x", call));
      expect(error).toMatchObject({ code: "STORE_MISCONFIGURED" });
      expect(String(error)).toContain("await store.migrate()");
    }
    const newer = postgresStore({ pool, schema: "versions" });
    expect(await codeOf(() => newer.migrate())).toBe("STORE_MISCONFIGURED");
    const { rows } = await pool.query("SELECT version FROM versions.kyb_session_meta");
    expect(rows).toEqual([{ version: 99 }]);
  });

  it("refuses a database that is not encoded in UTF8", async () => {
    await pool.query(
      "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    const url = new URL(server().url);
    url.pathname = "/latin";
    const other = new pg.Pool({ connectionString: url.href });
    const store = postgresStore({ pool: other });
    expect(await codeOf(() => store.migrate())).toBe("STORE_MISCONFIGURED");
    await other.end();
  });

  it("keeps stores with other tables, and other schemas, apart", async () => {
    const one = postgresStore({ pool, schema: "apart", table: "one" });
    const two = postgresStore({ pool, schema: "apart", table: "two" });
    await one.migrate();
    await two.migrate();
    await one.create(newSession("a", { userId: "ann" }), NO_LIMITS, call);
    expect(await two.find(newSession("a").id, call)).toBeUndefined();
    expect(await two.endUser("ann", "revoked", {}, call)).toMatchObject({ ended: [] });
    expect((await one.metrics(call)).activeSessions).toBe(1);
  });
});
