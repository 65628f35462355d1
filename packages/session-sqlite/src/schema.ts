import { SessionError } from "@kyb/session-core/store";
import type { SqliteDatabase } from "./database.ts";

/** Version of the tables, kept in `kyb_meta`: `PRAGMA user_version` belongs to the application that shares the file. */
export const SCHEMA_VERSION = 1;

/**
 * Text that clients have a hand in is stored as the inside of a JSON string, because SQLite's text can carry neither
 * every string of JavaScript nor, in every tool, a NUL. Times are epoch milliseconds.
 *
 * Each session is in the indexes of what it is (live or ended), so that no page, sweep or limit looks at any other.
 */
const TABLES = `
CREATE TABLE kyb_meta (schema INTEGER NOT NULL);
INSERT INTO kyb_meta VALUES (${SCHEMA_VERSION});

CREATE TABLE kyb_sessions (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  record INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  user_id TEXT,
  address TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_access INTEGER NOT NULL,
  last_activity INTEGER NOT NULL,
  request_count INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,
  idle_timeout INTEGER NOT NULL,
  absolute_end INTEGER NOT NULL,
  provisional_end INTEGER,
  provisional INTEGER NOT NULL,
  deadline INTEGER NOT NULL,
  ended_at INTEGER,
  end_reason TEXT,
  last_entry INTEGER NOT NULL,
  op_ids TEXT NOT NULL,
  state TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX kyb_address ON kyb_sessions (address);
CREATE INDEX kyb_due ON kyb_sessions (record, deadline) WHERE ended_at IS NULL;
CREATE INDEX kyb_live_provisional ON kyb_sessions (created_at, id) WHERE ended_at IS NULL AND provisional = 1;
CREATE INDEX kyb_live_settled ON kyb_sessions (created_at, id) WHERE ended_at IS NULL AND provisional = 0;
CREATE INDEX kyb_live_anonymous ON kyb_sessions (last_access, id) WHERE ended_at IS NULL AND user_id IS NULL;
CREATE INDEX kyb_live_signed_in ON kyb_sessions (last_access, id) WHERE ended_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX kyb_live_user ON kyb_sessions (user_id, created_at, id) WHERE ended_at IS NULL AND user_id IS NOT NULL;
CREATE INDEX kyb_ended ON kyb_sessions (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX kyb_ended_created ON kyb_sessions (created_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX kyb_ended_access ON kyb_sessions (last_access, id) WHERE ended_at IS NOT NULL;
CREATE INDEX kyb_ended_user ON kyb_sessions (user_id, created_at, id) WHERE ended_at IS NOT NULL AND user_id IS NOT NULL;

CREATE TABLE kyb_activity (
  session INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  at INTEGER NOT NULL,
  entry TEXT NOT NULL
);
CREATE UNIQUE INDEX kyb_activity_session ON kyb_activity (session, sequence);

CREATE TABLE kyb_totals (
  created INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  live INTEGER NOT NULL,
  signed_in INTEGER NOT NULL,
  provisional INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  length INTEGER NOT NULL,
  peak INTEGER NOT NULL,
  peak_time INTEGER NOT NULL
);
INSERT INTO kyb_totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE kyb_counts (
  kind TEXT NOT NULL,
  slot INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (kind, slot)
) WITHOUT ROWID;
CREATE TABLE kyb_endpoints (endpoint TEXT PRIMARY KEY, requests INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE kyb_users_seen (user_id TEXT PRIMARY KEY, second INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX kyb_users_seen_second ON kyb_users_seen (second);
CREATE TABLE kyb_batches (instance TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE kyb_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  origin TEXT NOT NULL,
  type TEXT NOT NULL,
  session TEXT NOT NULL,
  user_id TEXT,
  at INTEGER NOT NULL,
  reason TEXT
);
`;

/**
 * Makes the tables where they are missing. Throws `STORE_MISCONFIGURED` where a newer version of this package made
 * them: what it added, this one might destroy.
 */
export function prepareSchema(database: SqliteDatabase): void {
  const found = schemaVersion(database);
  if (found === SCHEMA_VERSION) return;
  if (found !== undefined) throw refused(found);
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster.
    if (schemaVersion(database) === undefined) database.exec(TABLES);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
  prepareSchema(database);
}

function schemaVersion(database: SqliteDatabase): unknown {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'kyb_meta'").get();
  if (table === undefined) return undefined;
  const row = database.prepare("SELECT schema FROM kyb_meta").get() as { schema: unknown };
  return row?.schema ?? null;
}

function refused(found: unknown): SessionError {
  const isNewer = typeof found === "number" && found > SCHEMA_VERSION;
  return new SessionError(
    "STORE_MISCONFIGURED",
    isNewer
      ? `The SQLite file has session tables of version ${found}; this program knows ${SCHEMA_VERSION}. Update @kyb/session-sqlite, or give it another file.`
      : "The SQLite file has session tables that this program does not know. Give it another file.",
  );
}
