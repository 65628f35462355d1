import { RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW, SHARD } from "./function.ts";

/** `create`, and the room that it needs. */
export function createFunctions(names: Names): readonly string[] {
  const { sessions, counters, windows, events, peak, fn, lock } = names;
  return [
    // Whom to end so that one more session fits, of those that nobody holds; null: it would not be enough.
    createFunction(names, {
      name: "make_room",
      parameters: "p_missing bigint, p_time float8, OUT o_due text[], OUT o_victims text[]",
      returns: "record",
      body: `
DECLARE
  v_missing bigint := p_missing;
BEGIN
  o_victims := '{}';
  o_due := ARRAY(
    SELECT s.id FROM ${sessions} s
    WHERE s.ended_at IS NULL AND s.check_at <= p_time AND s.due_at <= p_time
    ORDER BY s.check_at LIMIT greatest(v_missing, 0) FOR UPDATE SKIP LOCKED
  );
  v_missing := v_missing - cardinality(o_due);
  IF v_missing <= 0 THEN RETURN; END IF;
  o_victims := ARRAY(
    SELECT s.id FROM ${sessions} s WHERE s.ended_at IS NULL AND s.is_provisional AND s.id <> ALL (o_due)
    ORDER BY s.created_at, s.id LIMIT v_missing FOR UPDATE SKIP LOCKED
  );
  v_missing := p_missing - cardinality(o_due) - cardinality(o_victims);
  IF v_missing <= 0 THEN RETURN; END IF;
  o_victims := o_victims || ARRAY(
    SELECT s.id FROM ${sessions} s
    WHERE s.ended_at IS NULL AND s.user_id IS NULL AND NOT s.is_provisional AND s.id <> ALL (o_due)
    ORDER BY s.last_access, s.id LIMIT v_missing FOR UPDATE SKIP LOCKED
  );
  IF p_missing > cardinality(o_due) + cardinality(o_victims) THEN o_victims := NULL; END IF;
END`,
    }),
    createFunction(names, {
      name: "create",
      parameters: "p_text text, p_now float8",
      returns: "text",
      body: `
DECLARE
  p json := p_text::json;
  v_now float8;
  v_user text := p->>'userId';
  v_metrics boolean := (p->>'metrics')::boolean;
  v_max bigint := (p->>'maxSessions')::bigint;
  v_live text[];
  v_due text[] := '{}';
  v_more text[] := '{}';
  v_victims text[] := '{}';
  v_others text[] := '{}';
  v_active bigint;
  s ${sessions}%ROWTYPE;
BEGIN
  -- One order of locks everywhere: the room, the user, sessions by id, counters.
  IF v_max IS NOT NULL THEN PERFORM pg_advisory_xact_lock(${lock("'room'")}); END IF;
  IF v_user IS NOT NULL AND p->>'userMax' IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(${lock("v_user")});
  END IF;
  v_now := ${NOW};
  SELECT * INTO s FROM ${sessions} e WHERE e.id = p->>'id' FOR UPDATE;
  IF FOUND THEN
    IF s.ended_at IS NULL AND s.due_at > v_now AND s.version = 0 AND s.secret_hash = p->>'secretHash' THEN
      RETURN json_build_object('now', v_now, 'status', 'created', 'record', row_to_json(s));
    END IF;
    RETURN json_build_object('now', v_now, 'status', 'exists');
  END IF;

  IF v_user IS NOT NULL AND p->>'userMax' IS NOT NULL THEN
    SELECT o_live, o_due INTO v_live, v_due FROM ${fn("lock_user_sessions")}(v_user, NULL, v_now);
    v_victims := ${fn("over_limit")}(v_live, (p->>'userMax')::bigint, p->>'policy');
    IF v_victims IS NULL THEN
      PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
      RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'user');
    END IF;
  END IF;
  IF v_max IS NOT NULL THEN
    SELECT sum(c.live) INTO v_active FROM ${counters} c;
    v_active := v_active - cardinality(v_due) - cardinality(v_victims) + 1 - v_max;
    IF v_active > 0 THEN
      SELECT o_due, o_victims INTO v_more, v_others FROM ${fn("make_room")}(v_active + cardinality(v_due), v_now);
      -- The user's due ones may be among those found here.
      v_due := ARRAY(SELECT DISTINCT unnest(v_due || v_more));
      IF v_others IS NULL THEN
        PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
        RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'sessions');
      END IF;
    END IF;
  END IF;

  INSERT INTO ${sessions} (
    id, record_version, secret_hash, transport, epoch, version, user_id, ip_address, user_agent,
    created_at, secret_issued_at, authenticated_at, idle_timeout, absolute_end, provisional_end,
    data_keys, data_values, data_bytes, last_access, last_activity, check_at
  ) VALUES (
    p->>'id', ${RECORD_VERSION}, p->>'secretHash', p->>'transport', 0, 0, v_user, p->>'ipAddress', p->>'userAgent',
    v_now, v_now, CASE WHEN v_user IS NULL THEN NULL ELSE v_now END,
    (p->>'idleTimeout')::float8, v_now + (p->>'absoluteTimeout')::float8, v_now + (p->>'provisionalTimeout')::float8,
    ARRAY(SELECT json_array_elements_text(p->'keys')), ARRAY(SELECT json_array_elements_text(p->'values')),
    (p->>'bytes')::bigint, v_now, v_now,
    v_now + least(coalesce((p->>'provisionalTimeout')::float8, (p->>'idleTimeout')::float8), (p->>'absoluteTimeout')::float8)
  ) RETURNING * INTO s;
  INSERT INTO ${events} (type, session_id, user_id, at) VALUES ('created', s.id, v_user, v_now);
  IF v_metrics THEN
    INSERT INTO ${windows} AS w (kind, stretch, shard, amount)
    VALUES ('started', floor(v_now / 3600000)::bigint, ${SHARD}, 1)
    ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + 1;
  END IF;
  PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
  PERFORM ${fn("finish")}(v_victims || v_others, 'limit', v_now, v_metrics);
  UPDATE ${counters} c SET
    live = c.live + 1,
    signed_in = c.signed_in + (v_user IS NOT NULL)::int,
    provisional = c.provisional + s.is_provisional::int,
    created = c.created + v_metrics::int
  WHERE c.shard = ${SHARD};
  IF v_metrics THEN PERFORM ${fn("note_peak")}(v_now); END IF;
  RETURN json_build_object('now', v_now, 'status', 'created', 'record', row_to_json(s));
END`,
    }),
    // Whoever finds somebody else at it goes on: nobody waits for the one row that holds the peak.
    createFunction(names, {
      name: "note_peak",
      parameters: "p_time float8",
      returns: "void",
      body: `
DECLARE
  v_active bigint;
BEGIN
  SELECT sum(c.live) INTO v_active FROM ${counters} c;
  IF v_active <= (SELECT h.sessions FROM ${peak} h) THEN RETURN; END IF;
  IF NOT pg_try_advisory_xact_lock(${lock("'peak'")}) THEN RETURN; END IF;
  UPDATE ${peak} h SET sessions = v_active, at = p_time WHERE h.sessions < v_active;
END`,
    }),
  ];
}
