import type { Names } from "../identifiers.ts";

/** Rows over which the counters are spread, so that no row is one that every transaction waits for. */
export const COUNTER_SHARDS = 16;

/**
 * Tables and indexes of version 1. Text that may hold anything (user ids, addresses, agents, keys and values of the
 * data) is JSON text: PostgreSQL's text can hold neither NUL nor lone surrogates. Times are epoch milliseconds. What is
 * indexed is cut, because an index refuses rows above 2,704 bytes.
 */
export function tables(names: Names): readonly string[] {
  const { sessions, activity, counters, windows, endpoints, users, batches, events, peak } = names;
  const { index } = names;
  return [
    `CREATE TABLE ${sessions} (
  id text COLLATE "C" PRIMARY KEY,
  record_version integer NOT NULL,
  secret_hash text NOT NULL,
  transport text NOT NULL,
  epoch bigint NOT NULL,
  version bigint NOT NULL,
  user_id text COLLATE "C",
  ip_address text COLLATE "C" NOT NULL,
  user_agent text NOT NULL,
  created_at float8 NOT NULL,
  secret_issued_at float8 NOT NULL,
  authenticated_at float8,
  idle_timeout float8 NOT NULL,
  absolute_end float8 NOT NULL,
  provisional_end float8,
  data_keys text[] NOT NULL,
  data_values text[] NOT NULL,
  data_bytes bigint NOT NULL,
  retired jsonb NOT NULL DEFAULT '[]',
  pending jsonb,
  recent_ops text[] NOT NULL DEFAULT '{}',
  last_access float8 NOT NULL,
  last_activity float8 NOT NULL,
  request_count bigint NOT NULL DEFAULT 0,
  confirmed boolean NOT NULL DEFAULT false,
  ended_at float8,
  end_reason text,
  next_entry bigint NOT NULL DEFAULT 0,
  check_at float8 NOT NULL,
  due_at float8 NOT NULL GENERATED ALWAYS AS (
    LEAST(
      CASE WHEN provisional_end IS NOT NULL AND NOT confirmed THEN provisional_end
        ELSE last_activity + idle_timeout END,
      absolute_end
    )
  ) STORED,
  is_provisional boolean NOT NULL GENERATED ALWAYS AS (
    provisional_end IS NOT NULL AND NOT confirmed AND user_id IS NULL
  ) STORED,
  CHECK (cardinality(data_keys) = cardinality(data_values))
) WITH (fillfactor = 80)`,
    `CREATE INDEX ${index("live_created")} ON ${sessions} (created_at, id) WHERE ended_at IS NULL`,
    `CREATE INDEX ${index("ended_created")} ON ${sessions} (created_at, id) WHERE ended_at IS NOT NULL`,
    `CREATE INDEX ${index("anonymous_access")} ON ${sessions} (last_access, id) WHERE ended_at IS NULL AND user_id IS NULL`,
    `CREATE INDEX ${index("user_access")} ON ${sessions} (last_access, id) WHERE ended_at IS NULL AND user_id IS NOT NULL`,
    `CREATE INDEX ${index("ended_access")} ON ${sessions} (last_access, id) WHERE ended_at IS NOT NULL`,
    `CREATE INDEX ${index("live_user")} ON ${sessions} ("left"(user_id, 200), created_at, id) WHERE ended_at IS NULL AND user_id IS NOT NULL`,
    `CREATE INDEX ${index("ended_user")} ON ${sessions} ("left"(user_id, 200), created_at, id) WHERE ended_at IS NOT NULL AND user_id IS NOT NULL`,
    `CREATE INDEX ${index("address")} ON ${sessions} ("left"(ip_address, 100))`,
    `CREATE INDEX ${index("check")} ON ${sessions} (check_at) WHERE ended_at IS NULL`,
    `CREATE INDEX ${index("ended")} ON ${sessions} (ended_at) WHERE ended_at IS NOT NULL`,
    `CREATE INDEX ${index("provisional")} ON ${sessions} (created_at, id) WHERE ended_at IS NULL AND is_provisional`,
    `CREATE TABLE ${activity} (
  session_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at float8 NOT NULL,
  entry text NOT NULL,
  PRIMARY KEY (session_id, seq)
)`,
    `CREATE TABLE ${counters} (
  shard integer PRIMARY KEY,
  live bigint NOT NULL DEFAULT 0,
  signed_in bigint NOT NULL DEFAULT 0,
  provisional bigint NOT NULL DEFAULT 0,
  ended bigint NOT NULL DEFAULT 0,
  length float8 NOT NULL DEFAULT 0,
  created bigint NOT NULL DEFAULT 0,
  reasons bigint[] NOT NULL DEFAULT '{}',
  requests bigint[] NOT NULL DEFAULT '{}',
  other_endpoints bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20)`,
    `INSERT INTO ${counters} (shard) SELECT generate_series(0, ${COUNTER_SHARDS - 1})`,
    `CREATE TABLE ${windows} (
  kind text NOT NULL,
  stretch bigint NOT NULL,
  shard integer NOT NULL,
  amount bigint NOT NULL,
  PRIMARY KEY (kind, stretch, shard)
) WITH (fillfactor = 50)`,
    `CREATE TABLE ${endpoints} (
  key bytea PRIMARY KEY,
  endpoint text NOT NULL,
  requests bigint NOT NULL
) WITH (fillfactor = 50)`,
    `CREATE TABLE ${users} (
  key bytea PRIMARY KEY,
  seen bigint NOT NULL,
  previous bigint
) WITH (fillfactor = 50)`,
    `CREATE INDEX ${index("users_seen")} ON ${users} (seen)`,
    `CREATE TABLE ${batches} (
  instance text PRIMARY KEY,
  sequence bigint NOT NULL,
  written timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50)`,
    `CREATE TABLE ${events} (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  written timestamptz NOT NULL DEFAULT clock_timestamp(),
  type text NOT NULL,
  session_id text NOT NULL,
  user_id text,
  at float8 NOT NULL,
  reason text
)`,
    `CREATE INDEX ${index("events_xid")} ON ${events} (xid)`,
    `CREATE TABLE ${peak} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  sessions bigint NOT NULL DEFAULT 0,
  at float8 NOT NULL DEFAULT 0
)`,
    `INSERT INTO ${peak} DEFAULT VALUES`,
  ];
}
