import { describeWithServer } from "@kyb/session-testkit";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session from "express-session";
import memorystore from "memorystore";
import { Pool } from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, describe } from "vitest";
import { fromExpressStore } from "../../src/index.ts";
import { expressStoreCases } from "./store-cases.ts";

describe("sessions in memorystore", () => {
  const MemoryStore = memorystore(session);
  expressStoreCases({ open: () => ({ store: fromExpressStore(new MemoryStore({})) }) }, true);
});

describeWithServer("redis", "sessions in connect-redis", (server) => {
  let client: ReturnType<typeof createClient>;
  let opened = 0;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
  });
  afterAll(() => client.close());

  expressStoreCases(
    {
      open: () => {
        opened += 1;
        return { store: fromExpressStore(new RedisStore({ client, prefix: `run${opened}:` })) };
      },
    },
    true,
  );
});

describeWithServer("postgres", "sessions in connect-pg-simple", (server) => {
  const PgStore = connectPgSimple(session);
  let pool: Pool;

  beforeAll(async () => {
    pool = new Pool({ connectionString: server().url });
    await pool.query(
      "CREATE TABLE session (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)",
    );
  });
  afterAll(() => pool.end());

  expressStoreCases(
    {
      open: async () => {
        await pool.query("TRUNCATE session");
        return { store: fromExpressStore(new PgStore({ pool, pruneSessionInterval: false })) };
      },
    },
    false,
  );
});
