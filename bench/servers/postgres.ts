import { postgresStore } from "@kyb/session-postgres";
import connectPgSimple from "connect-pg-simple";
import expressSession, { type Store } from "express-session";
import pg from "pg";
import { bare, ours, peer, peerWithLog } from "./express.ts";
import { ourManager } from "./ours.ts";
import type { Running, Variants } from "./variant.ts";

/** Express behind PostgreSQL; the server's URL is the third argument. */
const url = process.argv[4] ?? "";
const CONNECTIONS = 10;

export const variants: Variants = {
  bare,
  ours: ourOwn,
  "connect-pg-simple": async () => peer(await connectPg("peer")),
  "connect-pg-simple-log": async () => peerWithLog(await connectPg("peer_log")),
};

function pool(): pg.Pool {
  const made = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  made.on("error", (error) => console.error(error));
  return made;
}

async function ourOwn(): Promise<Running> {
  const store = postgresStore({ pool: pool() });
  await store.migrate();
  return ours(ourManager(store));
}

/** The table is the one of its own table.sql; its option to make it fails for the second name in one schema. */
async function connectPg(tableName: string): Promise<Store> {
  const own = pool();
  await own.query(
    `CREATE TABLE IF NOT EXISTS ${tableName} (
       sid varchar NOT NULL PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL);
     CREATE INDEX IF NOT EXISTS ${tableName}_expire ON ${tableName} (expire)`,
  );
  const PgStore = connectPgSimple(expressSession);
  return new PgStore({ pool: own, tableName, pruneSessionInterval: false });
}
