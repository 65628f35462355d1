import { MAX_RETIRED, RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW } from "./function.ts";

/** Commits that a session remembers. */
const OP_IDS = 4;

/** `commit`: the rule of the core's `applyCommit` in SQL. A test compares both on random states and changes. */
export function commitFunctions(names: Names): readonly string[] {
  const { sessions, events, fn, lock } = names;
  return [
    // A sum as JavaScript writes it. PostgreSQL's own text has the same digits and other exponents.
    createFunction(names, {
      name: "js_number",
      parameters: "p_number float8",
      returns: "text",
      options: "IMMUTABLE STRICT SET extra_float_digits = 1",
      body: `
DECLARE
  v_text text := abs(p_number)::text;
  v_sign text := CASE WHEN p_number < 0 THEN '-' ELSE '' END;
  v_mantissa text := split_part(v_text, 'e', 1);
  v_digits text := replace(v_mantissa, '.', '');
  v_point integer;
BEGIN
  IF p_number = 0 THEN RETURN '0'; END IF;
  -- The value is 0.DIGITS times ten to the power of v_point, without zeros at either end of the digits.
  v_point := length(split_part(v_mantissa, '.', 1)) + coalesce(nullif(split_part(v_text, 'e', 2), '')::integer, 0);
  v_point := v_point - (length(v_digits) - length(ltrim(v_digits, '0')));
  v_digits := trim('0' FROM v_digits);
  IF v_point BETWEEN length(v_digits) AND 21 THEN RETURN v_sign || rpad(v_digits, v_point, '0'); END IF;
  IF v_point BETWEEN 1 AND 21 THEN
    RETURN v_sign || "left"(v_digits, v_point) || '.' || substr(v_digits, v_point + 1);
  END IF;
  IF v_point BETWEEN -5 AND 0 THEN RETURN v_sign || '0.' || repeat('0', -v_point) || v_digits; END IF;
  RETURN v_sign || "left"(v_digits, 1) || CASE WHEN length(v_digits) > 1 THEN '.' || substr(v_digits, 2) ELSE '' END
    || 'e' || CASE WHEN v_point > 0 THEN '+' ELSE '' END || (v_point - 1)::text;
END`,
    }),
    // Adds as JavaScript does; null: the sum is beyond all numbers.
    createFunction(names, {
      name: "sum",
      parameters: "p_left float8, p_right float8",
      returns: "float8",
      body: `
BEGIN
  -- An exception costs a subtransaction, so only numbers that can overflow are added under its guard.
  IF abs(p_left) < 8e307 AND abs(p_right) < 8e307 THEN RETURN p_left + p_right; END IF;
  BEGIN
    RETURN p_left + p_right;
  EXCEPTION WHEN numeric_value_out_of_range THEN RETURN NULL;
  END;
END`,
    }),
    // Fails with invalid_text_representation if what should be JSON text is none: such a record is not written to.
    createFunction(names, {
      name: "is_readable",
      parameters: `s ${sessions}`,
      returns: "boolean",
      body: `
BEGIN
  IF s.record_version <> ${RECORD_VERSION} THEN RETURN false; END IF;
  IF coalesce(json_typeof(s.user_id::json), 'string') <> 'string' OR json_typeof(s.ip_address::json) <> 'string'
    OR json_typeof(s.user_agent::json) <> 'string'
  THEN
    RETURN false;
  END IF;
  IF cardinality(s.data_keys) > 0 THEN
    PERFORM ('[' || array_to_string(s.data_keys, ',') || ']')::json, ('[' || array_to_string(s.data_values, ',') || ']')::json;
  END IF;
  RETURN true;
EXCEPTION WHEN invalid_text_representation THEN RETURN false;
END`,
    }),
    createFunction(names, {
      name: "apply_ops",
      parameters:
        "p_ops json, INOUT io_keys text[], INOUT io_values text[], INOUT io_bytes bigint, OUT o_refused text",
      returns: "record",
      body: `
DECLARE
  v_op json;
  v_kind text;
  v_key text;
  v_value text;
  v_at integer;
  v_sum float8;
BEGIN
  IF json_array_length(p_ops) = 0 THEN RETURN; END IF;
  FOR v_op IN SELECT json_array_elements(p_ops) LOOP
    v_kind := v_op->>0;
    v_key := v_op->>1;
    v_at := array_position(io_keys, v_key);
    IF v_kind = 'increment' THEN
      v_value := coalesce(io_values[v_at], 'null');
      IF v_value !~ '^(null$|-?[0-9])' THEN o_refused := v_key; RETURN; END IF;
      v_sum := ${fn("sum")}(CASE WHEN v_value = 'null' THEN 0 ELSE v_value::float8 END, (v_op->>2)::float8);
      IF v_sum IS NULL THEN o_refused := v_key; RETURN; END IF;
      v_value := ${fn("js_number")}(v_sum);
    ELSE
      v_value := v_op->>2;
    END IF;
    IF v_at IS NOT NULL THEN
      io_bytes := io_bytes - octet_length(v_key) - octet_length(io_values[v_at]) - 2;
    END IF;
    IF v_kind = 'delete' THEN
      IF v_at IS NOT NULL THEN
        io_keys := io_keys[:v_at - 1] || io_keys[v_at + 1:];
        io_values := io_values[:v_at - 1] || io_values[v_at + 1:];
      END IF;
      CONTINUE;
    END IF;
    io_bytes := io_bytes + octet_length(v_key) + 2
      + CASE WHEN v_kind = 'set' THEN (v_op->>3)::bigint ELSE octet_length(v_value) END;
    IF v_at IS NULL THEN
      io_keys := array_append(io_keys, v_key);
      io_values := array_append(io_values, v_value);
    ELSE
      io_values[v_at] := v_value;
    END IF;
  END LOOP;
  IF io_bytes = 0 THEN io_keys := '{}'; io_values := '{}'; END IF;
END`,
    }),
    // Puts a new secret in the place of the old one, which is remembered with those before it.
    createFunction(names, {
      name: "replace_secret",
      parameters: `INOUT s ${sessions}, p_hash text, p_kind text, p_time float8`,
      returns: sessions,
      body: `
DECLARE
  v_retired jsonb := jsonb_build_array(jsonb_build_object('hash', s.secret_hash, 'at', p_time, 'kind', p_kind));
BEGIN
  -- A successor that was offered and never presented dies with the secret that it was to replace.
  IF s.pending IS NOT NULL AND p_kind <> 'rotated' THEN
    v_retired := v_retired || jsonb_build_object('hash', s.pending->>'hash', 'at', p_time, 'kind', p_kind);
  END IF;
  -- Rotated predecessors lose their grace when the secret changes at once.
  SELECT coalesce(jsonb_agg(known.each ORDER BY known.place), '[]') INTO s.retired FROM (
    SELECT place, CASE WHEN p_kind = 'rotated' OR old.each->>'kind' <> 'rotated' OR place <= jsonb_array_length(v_retired)
      THEN old.each ELSE old.each || jsonb_build_object('kind', p_kind, 'at', p_time) END AS each
    FROM jsonb_array_elements(v_retired || s.retired) WITH ORDINALITY AS old(each, place)
    ORDER BY place LIMIT ${MAX_RETIRED}
  ) known;
  s.secret_hash := p_hash;
  s.secret_issued_at := p_time;
  s.pending := NULL;
END`,
    }),
    createFunction(names, {
      name: "commit",
      parameters: "p_text text, p_now float8",
      returns: "text",
      body: `
DECLARE
  p json := p_text::json;
  c json := p->'change';
  v_kind text := c->>'kind';
  v_now float8;
  v_metrics boolean := (p->>'metrics')::boolean;
  v_limited boolean := v_kind = 'sign-in' AND c->>'userMax' IS NOT NULL;
  v_live text[];
  v_due text[] := '{}';
  v_victims text[] := '{}';
  v_keys text[];
  v_values text[];
  v_bytes bigint;
  v_key text;
  v_at integer;
  v_refused text;
  v_length float8;
  s ${sessions}%ROWTYPE;
  o ${sessions}%ROWTYPE;
BEGIN
  -- One order of locks everywhere: the room, the user, sessions by id, counters.
  IF v_limited THEN
    PERFORM pg_advisory_xact_lock(${lock("c->>'userId'")});
    v_now := ${NOW};
    SELECT o_live, o_due INTO v_live, v_due FROM ${fn("lock_user_sessions")}(c->>'userId', p->>'id', v_now);
  END IF;
  SELECT * INTO s FROM ${sessions} e WHERE e.id = p->>'id' FOR UPDATE;
  v_now := coalesce(v_now, ${NOW});
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF NOT ${fn("is_readable")}(s) THEN RETURN json_build_object('now', v_now, 'status', 'unreadable'); END IF;
  IF s.due_at <= v_now THEN
    PERFORM ${fn("finish")}(ARRAY[s.id], NULL, v_now, v_metrics);
    RETURN json_build_object('now', v_now, 'status', 'gone');
  END IF;
  IF p->>'opId' = ANY (s.recent_ops) THEN
    RETURN json_build_object('now', v_now, 'status', 'applied', 'record', row_to_json(s));
  END IF;

  IF (p->>'epoch')::float8 <> s.epoch THEN RETURN json_build_object('now', v_now, 'status', 'superseded'); END IF;
  IF p->>'secretHash' IS NOT NULL AND p->>'secretHash' IS DISTINCT FROM
    (CASE WHEN v_kind = 'promote' THEN s.pending->>'hash' ELSE s.secret_hash END)
  THEN
    RETURN json_build_object('now', v_now, 'status', 'superseded');
  END IF;
  IF p->>'version' IS NOT NULL AND (p->>'version')::float8 <> s.version THEN
    RETURN json_build_object('now', v_now, 'status', 'conflict', 'record', row_to_json(s));
  END IF;

  v_keys := s.data_keys;
  v_values := s.data_values;
  v_bytes := s.data_bytes;
  IF v_kind = 'sign-in' AND json_typeof(c->'keep') = 'array' THEN
    v_keys := '{}';
    v_values := '{}';
    v_bytes := 0;
    FOR v_key IN SELECT json_array_elements_text(c->'keep') LOOP
      v_at := array_position(s.data_keys, v_key);
      CONTINUE WHEN v_at IS NULL OR v_key = ANY (v_keys);
      v_keys := array_append(v_keys, v_key);
      v_values := array_append(v_values, s.data_values[v_at]);
      v_bytes := v_bytes + octet_length(v_key) + octet_length(s.data_values[v_at]) + 2;
    END LOOP;
  END IF;
  SELECT io_keys, io_values, io_bytes, o_refused INTO v_keys, v_values, v_bytes, v_refused
    FROM ${fn("apply_ops")}(p->'ops', v_keys, v_values, v_bytes);
  IF v_refused IS NOT NULL THEN
    RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'number', 'key', v_refused);
  END IF;
  IF v_bytes > (p->>'maxBytes')::float8 AND v_bytes > s.data_bytes THEN
    RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'metadata', 'bytes', v_bytes);
  END IF;
  IF v_limited THEN
    v_victims := ${fn("over_limit")}(v_live, (c->>'userMax')::bigint, c->>'policy');
    IF v_victims IS NULL THEN
      PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
      RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'user');
    END IF;
  END IF;

  o := s;
  s.version := s.version + 1;
  s.data_keys := v_keys;
  s.data_values := v_values;
  s.data_bytes := v_bytes;
  s.recent_ops := (ARRAY[p->>'opId'] || s.recent_ops)[:${OP_IDS}];
  IF json_array_length(p->'ops') > 0 OR v_kind = 'sign-in' THEN s.provisional_end := NULL; END IF;
  CASE v_kind
    WHEN 'sign-in' THEN
      s.epoch := s.epoch + 1;
      s.user_id := c->>'userId';
      s.authenticated_at := v_now;
      s.idle_timeout := (c->>'idleTimeout')::float8;
      s.absolute_end := v_now + (c->>'absoluteTimeout')::float8;
      -- Both timeouts start again, and the idle one runs from here.
      s.last_activity := greatest(s.last_activity, v_now);
      s.last_access := greatest(s.last_access, v_now);
      s := ${fn("replace_secret")}(s, c->>'secretHash', 'sign-in', v_now);
    WHEN 'regenerate' THEN
      s.epoch := s.epoch + 1;
      s := ${fn("replace_secret")}(s, c->>'secretHash', 'regenerated', v_now);
    WHEN 'offer' THEN
      IF s.pending IS NULL THEN
        s.pending := jsonb_build_object('hash', c->>'secretHash', 'nonce', c->>'nonce', 'at', v_now);
      END IF;
    WHEN 'promote' THEN
      IF s.pending IS NOT NULL THEN
        s := ${fn("replace_secret")}(s, s.pending->>'hash', 'rotated', v_now);
      END IF;
    ELSE NULL;
  END CASE;
  UPDATE ${sessions} e SET
    version = s.version, epoch = s.epoch, secret_hash = s.secret_hash, secret_issued_at = s.secret_issued_at,
    user_id = s.user_id, authenticated_at = s.authenticated_at, idle_timeout = s.idle_timeout,
    absolute_end = s.absolute_end, provisional_end = s.provisional_end, data_keys = s.data_keys,
    data_values = s.data_values, data_bytes = s.data_bytes, retired = s.retired, pending = s.pending,
    recent_ops = s.recent_ops, last_access = s.last_access, last_activity = s.last_activity
  WHERE e.id = s.id RETURNING e.* INTO s;
  IF s.due_at < s.check_at THEN UPDATE ${sessions} e SET check_at = s.due_at WHERE e.id = s.id; END IF;
  IF v_kind <> 'offer' THEN
    INSERT INTO ${events} (type, session_id, user_id, at)
    VALUES (CASE v_kind WHEN 'sign-in' THEN 'signed-in' ELSE 'regenerated' END, s.id, s.user_id, v_now);
  END IF;
  PERFORM ${fn("finish")}(v_due, NULL, v_now, v_metrics);
  PERFORM ${fn("finish")}(v_victims, 'limit', v_now, v_metrics);
  v_length := s.last_access - o.last_access;
  IF v_length <> 0 OR s.is_provisional <> o.is_provisional OR (s.user_id IS NULL) <> (o.user_id IS NULL) THEN
    PERFORM ${fn("count")}(
      0, (s.user_id IS NOT NULL)::int - (o.user_id IS NOT NULL)::int,
      s.is_provisional::int - o.is_provisional::int, v_length
    );
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'applied', 'record', row_to_json(s));
END`,
    }),
  ];
}
