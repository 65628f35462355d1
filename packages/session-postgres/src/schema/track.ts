import { MAX_ENDPOINTS, RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW, SHARD } from "./function.ts";

/** `track`: one statement for each table, whatever the number of sessions in the batch. */
export function trackFunctions(names: Names): readonly string[] {
  const { sessions, activity, counters, windows, endpoints, users, batches, fn } = names;
  return [
    createFunction(names, {
      name: "track",
      parameters: "p_text text, p_now float8",
      returns: "text",
      body: `
DECLARE
  p json := p_text::json;
  v_now float8;
  v_metrics boolean := (p->>'metrics')::boolean;
  v_limit bigint := (p->>'activityLimit')::bigint;
  v_ids text[];
  v_due text[];
  v_users bytea[];
  v_confirmed text[];
  v_length float8;
  v_provisional bigint;
BEGIN
  IF (p->>'sequence')::bigint <> 0 THEN
    INSERT INTO ${batches} AS b (instance, sequence) VALUES (p->>'instance', (p->>'sequence')::bigint)
    ON CONFLICT (instance) DO UPDATE SET sequence = excluded.sequence, written = clock_timestamp()
      WHERE b.sequence < excluded.sequence;
    IF NOT FOUND THEN RETURN json_build_object('now', ${NOW}, 'status', 'repeated'); END IF;
  END IF;
  v_ids := ARRAY(
    SELECT s.id FROM ${sessions} s
    WHERE s.id = ANY (ARRAY(SELECT i->>0 FROM json_array_elements(p->'items') i)) AND s.record_version = ${RECORD_VERSION}
    ORDER BY s.id FOR UPDATE
  );
  v_now := ${NOW};

  WITH known AS MATERIALIZED (
    SELECT s.id, s.user_id, s.last_access, s.is_provisional, s.ended_at IS NULL AND s.due_at > v_now AS is_live,
      s.ended_at IS NULL AND s.due_at <= v_now AS is_due,
      (i->>1)::float8 AS access, (i->>2)::float8 AS active, (i->>3)::boolean AS confirm,
      (i->>4)::bigint AS requests, (i->>5)::bigint AS entries
    FROM json_array_elements(p->'items') i JOIN ${sessions} s ON s.id = i->>0 WHERE s.id = ANY (v_ids)
  ), moved AS (
    UPDATE ${sessions} s SET
      last_access = greatest(s.last_access, CASE WHEN k.access > v_now THEN least(k.access, s.absolute_end) ELSE k.access END),
      last_activity = greatest(s.last_activity, CASE WHEN k.active > v_now THEN least(k.active, s.absolute_end) ELSE k.active END),
      request_count = s.request_count + k.requests,
      confirmed = s.confirmed OR k.confirm,
      next_entry = s.next_entry + k.entries
    FROM known k WHERE s.id = k.id AND k.is_live
    RETURNING s.id, s.last_access - k.last_access AS length, k.is_provisional::int - s.is_provisional::int AS confirmed,
      s.due_at < s.check_at AS is_nearer, s.next_entry, k.entries
  ), added AS (
    INSERT INTO ${activity} (session_id, seq, at, entry)
    SELECT m.id, m.next_entry - m.entries + (e->>1)::bigint, (e->>2)::float8, e->>3
    FROM json_array_elements(p->'entries') e JOIN moved m ON m.id = e->>0
  ), trimmed AS (
    DELETE FROM ${activity} a USING moved m
    WHERE a.session_id = m.id AND m.entries > 0 AND a.seq < m.next_entry - v_limit
  )
  SELECT
    (SELECT coalesce(sum(m.length), 0) FROM moved m), (SELECT coalesce(sum(m.confirmed), 0) FROM moved m),
    ARRAY(SELECT m.id FROM moved m WHERE m.is_nearer), ARRAY(SELECT k.id FROM known k WHERE k.is_due),
    ARRAY(SELECT DISTINCT sha256(convert_to(k.user_id, 'UTF8')) AS key FROM known k
      WHERE k.requests > 0 AND k.user_id IS NOT NULL ORDER BY key)
  INTO v_length, v_provisional, v_confirmed, v_due, v_users;
  IF cardinality(v_confirmed) > 0 THEN
    UPDATE ${sessions} s SET check_at = s.due_at WHERE s.id = ANY (v_confirmed);
  END IF;

  IF v_metrics AND json_array_length(p->'endpoints') > 0 THEN
    PERFORM ${fn("count_users")}(v_users, floor(v_now / 1000)::bigint);
    INSERT INTO ${windows} AS w (kind, stretch, shard, amount)
    VALUES ('requests', floor(v_now / 1000)::bigint, ${SHARD}, (p->'counts'->>0)::bigint)
    ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + excluded.amount;
    PERFORM ${fn("count_endpoints")}(p->'endpoints');
  END IF;
  PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
  IF v_length <> 0 OR v_provisional <> 0 OR v_metrics THEN
    UPDATE ${counters} c SET
      length = c.length + v_length,
      provisional = c.provisional - v_provisional,
      requests = CASE WHEN v_metrics
        THEN ${fn("add")}(c.requests, ARRAY(SELECT value::bigint FROM json_array_elements_text(p->'counts') AS value))
        ELSE c.requests END
    WHERE c.shard = ${SHARD};
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'tracked');
END`,
    }),
    // A user is counted in the second of their latest request: each request takes them out of the one before.
    createFunction(names, {
      name: "count_users",
      parameters: "p_users bytea[], p_second bigint",
      returns: "void",
      body: `
BEGIN
  IF cardinality(p_users) = 0 THEN RETURN; END IF;
  WITH seen AS (
    INSERT INTO ${users} AS u (key, seen) SELECT key, p_second FROM unnest(p_users) AS key
    ON CONFLICT (key) DO UPDATE SET previous = u.seen, seen = excluded.seen WHERE u.seen < excluded.seen
    RETURNING u.previous
  )
  INSERT INTO ${windows} AS w (kind, stretch, shard, amount)
  SELECT 'users', change.stretch, ${SHARD}, sum(change.amount) FROM (
    SELECT p_second AS stretch, 1 AS amount FROM seen
    UNION ALL
    SELECT s.previous, -1 FROM seen s WHERE s.previous IS NOT NULL
  ) change GROUP BY change.stretch ORDER BY change.stretch
  ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + excluded.amount;
END`,
    }),
    // Counts endpoints one by one, and those that are too many as one; the new ones always get in.
    createFunction(names, {
      name: "count_endpoints",
      parameters: "p_endpoints json",
      returns: "void",
      body: `
DECLARE
  v_keys bytea[];
  v_other bigint;
  v_dropped bigint;
BEGIN
  WITH given AS MATERIALIZED (
    SELECT sha256(convert_to(e->>0, 'UTF8')) AS key, e->>0 AS endpoint, (e->>1)::bigint AS requests
    FROM json_array_elements(p_endpoints) e ORDER BY (e->>1)::bigint DESC LIMIT ${MAX_ENDPOINTS - 1}
  ), counted AS (
    INSERT INTO ${endpoints} AS p (key, endpoint, requests) SELECT g.key, g.endpoint, g.requests FROM given g ORDER BY g.key
    ON CONFLICT (key) DO UPDATE SET requests = p.requests + excluded.requests
  )
  SELECT array_agg(g.key), (SELECT sum((e->>1)::bigint) FROM json_array_elements(p_endpoints) e) - sum(g.requests)
  INTO v_keys, v_other FROM given g;
  -- What others hold right now is left to them: nobody waits here.
  WITH dropped AS (
    DELETE FROM ${endpoints} p WHERE p.key = ANY (ARRAY(
      SELECT o.key FROM ${endpoints} o WHERE o.key <> ALL (v_keys) ORDER BY o.requests, o.key
      LIMIT greatest((SELECT count(*) FROM ${endpoints}) - ${MAX_ENDPOINTS - 1}, 0) FOR UPDATE SKIP LOCKED
    )) RETURNING p.requests
  )
  SELECT coalesce(sum(d.requests), 0) INTO v_dropped FROM dropped d;
  IF v_other + v_dropped > 0 THEN
    UPDATE ${counters} c SET other_endpoints = c.other_endpoints + v_other + v_dropped WHERE c.shard = ${SHARD};
  END IF;
END`,
    }),
  ];
}
