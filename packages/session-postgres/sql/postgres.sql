-- Tables and functions of @kyb/session-postgres, version 1, as "await store.migrate()" makes them.
-- For another schema or table than the default ones: "await store.migrate()", or replace the names.
BEGIN;
CREATE TABLE "public"."kyb_session" (
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
) WITH (fillfactor = 80);

CREATE INDEX "kyb_session_live_created" ON "public"."kyb_session" (created_at, id) WHERE ended_at IS NULL;

CREATE INDEX "kyb_session_ended_created" ON "public"."kyb_session" (created_at, id) WHERE ended_at IS NOT NULL;

CREATE INDEX "kyb_session_anonymous_access" ON "public"."kyb_session" (last_access, id) WHERE ended_at IS NULL AND user_id IS NULL;

CREATE INDEX "kyb_session_user_access" ON "public"."kyb_session" (last_access, id) WHERE ended_at IS NULL AND user_id IS NOT NULL;

CREATE INDEX "kyb_session_ended_access" ON "public"."kyb_session" (last_access, id) WHERE ended_at IS NOT NULL;

CREATE INDEX "kyb_session_live_user" ON "public"."kyb_session" ("left"(user_id, 200), created_at, id) WHERE ended_at IS NULL AND user_id IS NOT NULL;

CREATE INDEX "kyb_session_ended_user" ON "public"."kyb_session" ("left"(user_id, 200), created_at, id) WHERE ended_at IS NOT NULL AND user_id IS NOT NULL;

CREATE INDEX "kyb_session_address" ON "public"."kyb_session" ("left"(ip_address, 100));

CREATE INDEX "kyb_session_check" ON "public"."kyb_session" (check_at) WHERE ended_at IS NULL;

CREATE INDEX "kyb_session_ended" ON "public"."kyb_session" (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX "kyb_session_provisional" ON "public"."kyb_session" (created_at, id) WHERE ended_at IS NULL AND is_provisional;

CREATE TABLE "public"."kyb_session_activity" (
  session_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at float8 NOT NULL,
  entry text NOT NULL,
  PRIMARY KEY (session_id, seq)
);

CREATE TABLE "public"."kyb_session_counters" (
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
) WITH (fillfactor = 20);

INSERT INTO "public"."kyb_session_counters" (shard) SELECT generate_series(0, 15);

CREATE TABLE "public"."kyb_session_windows" (
  kind text NOT NULL,
  stretch bigint NOT NULL,
  shard integer NOT NULL,
  amount bigint NOT NULL,
  PRIMARY KEY (kind, stretch, shard)
) WITH (fillfactor = 50);

CREATE TABLE "public"."kyb_session_endpoints" (
  key bytea PRIMARY KEY,
  endpoint text NOT NULL,
  requests bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE "public"."kyb_session_users" (
  key bytea PRIMARY KEY,
  seen bigint NOT NULL,
  previous bigint
) WITH (fillfactor = 50);

CREATE INDEX "kyb_session_users_seen" ON "public"."kyb_session_users" (seen);

CREATE TABLE "public"."kyb_session_batches" (
  instance text PRIMARY KEY,
  sequence bigint NOT NULL,
  written timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

CREATE TABLE "public"."kyb_session_events" (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  written timestamptz NOT NULL DEFAULT clock_timestamp(),
  type text NOT NULL,
  session_id text NOT NULL,
  user_id text,
  at float8 NOT NULL,
  reason text
);

CREATE INDEX "kyb_session_events_xid" ON "public"."kyb_session_events" (xid);

CREATE TABLE "public"."kyb_session_peak" (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  sessions bigint NOT NULL DEFAULT 0,
  at float8 NOT NULL DEFAULT 0
);

INSERT INTO "public"."kyb_session_peak" DEFAULT VALUES;

CREATE FUNCTION "public"."kyb_session_count"(p_live bigint, p_signed_in bigint, p_provisional bigint, p_length float8) RETURNS void
LANGUAGE plpgsql AS $kyb$
BEGIN
  UPDATE "public"."kyb_session_counters" c SET
    live = c.live + p_live,
    signed_in = c.signed_in + p_signed_in,
    provisional = c.provisional + p_provisional,
    length = c.length + p_length
  WHERE c.shard = pg_backend_pid() % 16;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_add"(p_left bigint[], p_right bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $kyb$
BEGIN
  IF cardinality(p_left) = 0 THEN RETURN p_right; END IF;
  RETURN ARRAY(
    SELECT coalesce(l, 0) + coalesce(r, 0)
    FROM unnest(p_left, p_right) WITH ORDINALITY AS both_sides(l, r, place) ORDER BY place
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_finish"(p_ids text[], p_reason text, p_time float8, p_metrics boolean) RETURNS bigint
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_count bigint;
  v_signed_in bigint;
  v_provisional bigint;
  v_length float8;
  v_reasons bigint[];
BEGIN
  IF coalesce(cardinality(p_ids), 0) = 0 THEN RETURN 0; END IF;
  WITH done AS (
    UPDATE "public"."kyb_session" s SET
      ended_at = p_time,
      end_reason = coalesce(p_reason, CASE
        WHEN p_time >= s.absolute_end THEN 'absolute'
        WHEN s.provisional_end IS NOT NULL AND NOT s.confirmed THEN 'provisional'
        ELSE 'idle' END)
    WHERE s.id = ANY (p_ids) AND s.ended_at IS NULL
    RETURNING s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length, s.end_reason
  ), told AS (
    INSERT INTO "public"."kyb_session_events" (type, session_id, user_id, at, reason)
    SELECT 'ended', d.id, d.user_id, p_time, d.end_reason FROM done d ORDER BY d.id
  )
  SELECT count(*), count(d.user_id), count(*) FILTER (WHERE d.is_provisional), coalesce(sum(d.length), 0),
    ARRAY(
      SELECT (SELECT count(*) FROM done e WHERE e.end_reason = known.reason)
      FROM unnest(ARRAY['signed-out', 'revoked', 'idle', 'absolute', 'provisional', 'limit', 'reuse', 'binding', 'shutdown', 'erased']) WITH ORDINALITY AS known(reason, place) ORDER BY place
    )
  INTO v_count, v_signed_in, v_provisional, v_length, v_reasons FROM done d;
  UPDATE "public"."kyb_session_counters" c SET
    live = c.live - v_count,
    signed_in = c.signed_in - v_signed_in,
    provisional = c.provisional - v_provisional,
    length = c.length - v_length,
    ended = c.ended + v_count,
    reasons = CASE WHEN p_metrics THEN "public"."kyb_session_add"(c.reasons, v_reasons) ELSE c.reasons END
  WHERE c.shard = pg_backend_pid() % 16;
  RETURN v_count;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_lock_user_sessions"(p_user text, p_self text, p_time float8, OUT o_live text[], OUT o_due text[]) RETURNS record
LANGUAGE plpgsql AS $kyb$
BEGIN
  WITH locked AS (
    SELECT s.id, s.due_at, s.user_id FROM "public"."kyb_session" s
    WHERE s.id = ANY (ARRAY(
      SELECT u.id FROM "public"."kyb_session" u
      WHERE "left"(u.user_id, 200) = "left"(p_user, 200) AND u.user_id = p_user AND u.ended_at IS NULL
    ) || p_self) AND s.ended_at IS NULL
    ORDER BY s.id FOR UPDATE
  )
  SELECT array_agg(l.id) FILTER (WHERE l.due_at > p_time), array_agg(l.id) FILTER (WHERE l.due_at <= p_time)
  INTO o_live, o_due FROM locked l
  WHERE l.user_id = p_user AND l.id IS DISTINCT FROM p_self;
  o_live := coalesce(o_live, '{}');
  o_due := coalesce(o_due, '{}');
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_over_limit"(p_live text[], p_max bigint, p_policy text) RETURNS text[]
LANGUAGE plpgsql AS $kyb$
BEGIN
  IF cardinality(p_live) < p_max THEN RETURN '{}'; END IF;
  IF p_policy = 'reject' THEN RETURN NULL; END IF;
  RETURN ARRAY(
    SELECT s.id FROM "public"."kyb_session" s WHERE s.id = ANY (p_live)
    ORDER BY CASE WHEN p_policy = 'evict-oldest' THEN s.created_at ELSE s.last_access END, s.id
    LIMIT cardinality(p_live) - p_max + 1
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_make_room"(p_missing bigint, p_time float8, OUT o_due text[], OUT o_victims text[]) RETURNS record
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_missing bigint := p_missing;
BEGIN
  o_victims := '{}';
  o_due := ARRAY(
    SELECT s.id FROM "public"."kyb_session" s
    WHERE s.ended_at IS NULL AND s.check_at <= p_time AND s.due_at <= p_time
    ORDER BY s.check_at LIMIT greatest(v_missing, 0) FOR UPDATE SKIP LOCKED
  );
  v_missing := v_missing - cardinality(o_due);
  IF v_missing <= 0 THEN RETURN; END IF;
  o_victims := ARRAY(
    SELECT s.id FROM "public"."kyb_session" s WHERE s.ended_at IS NULL AND s.is_provisional AND s.id <> ALL (o_due)
    ORDER BY s.created_at, s.id LIMIT v_missing FOR UPDATE SKIP LOCKED
  );
  v_missing := p_missing - cardinality(o_due) - cardinality(o_victims);
  IF v_missing <= 0 THEN RETURN; END IF;
  o_victims := o_victims || ARRAY(
    SELECT s.id FROM "public"."kyb_session" s
    WHERE s.ended_at IS NULL AND s.user_id IS NULL AND NOT s.is_provisional AND s.id <> ALL (o_due)
    ORDER BY s.last_access, s.id LIMIT v_missing FOR UPDATE SKIP LOCKED
  );
  IF p_missing > cardinality(o_due) + cardinality(o_victims) THEN o_victims := NULL; END IF;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_create"(p_text text, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
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
  s "public"."kyb_session"%ROWTYPE;
BEGIN
  -- One order of locks everywhere: the room, the user, sessions by id, counters.
  IF v_max IS NOT NULL THEN PERFORM pg_advisory_xact_lock(pg_catalog.hashtextextended('room', pg_catalog.hashtext('public.kyb_session'))); END IF;
  IF v_user IS NOT NULL AND p->>'userMax' IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(pg_catalog.hashtextextended(v_user, pg_catalog.hashtext('public.kyb_session')));
  END IF;
  v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  SELECT * INTO s FROM "public"."kyb_session" e WHERE e.id = p->>'id' FOR UPDATE;
  IF FOUND THEN
    IF s.ended_at IS NULL AND s.due_at > v_now AND s.version = 0 AND s.secret_hash = p->>'secretHash' THEN
      RETURN json_build_object('now', v_now, 'status', 'created', 'record', row_to_json(s));
    END IF;
    RETURN json_build_object('now', v_now, 'status', 'exists');
  END IF;

  IF v_user IS NOT NULL AND p->>'userMax' IS NOT NULL THEN
    SELECT o_live, o_due INTO v_live, v_due FROM "public"."kyb_session_lock_user_sessions"(v_user, NULL, v_now);
    v_victims := "public"."kyb_session_over_limit"(v_live, (p->>'userMax')::bigint, p->>'policy');
    IF v_victims IS NULL THEN
      PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
      RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'user');
    END IF;
  END IF;
  IF v_max IS NOT NULL THEN
    SELECT sum(c.live) INTO v_active FROM "public"."kyb_session_counters" c;
    v_active := v_active - cardinality(v_due) - cardinality(v_victims) + 1 - v_max;
    IF v_active > 0 THEN
      SELECT o_due, o_victims INTO v_more, v_others FROM "public"."kyb_session_make_room"(v_active + cardinality(v_due), v_now);
      -- The user's due ones may be among those found here.
      v_due := ARRAY(SELECT DISTINCT unnest(v_due || v_more));
      IF v_others IS NULL THEN
        PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
        RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'sessions');
      END IF;
    END IF;
  END IF;

  INSERT INTO "public"."kyb_session" (
    id, record_version, secret_hash, transport, epoch, version, user_id, ip_address, user_agent,
    created_at, secret_issued_at, authenticated_at, idle_timeout, absolute_end, provisional_end,
    data_keys, data_values, data_bytes, last_access, last_activity, check_at
  ) VALUES (
    p->>'id', 1, p->>'secretHash', p->>'transport', 0, 0, v_user, p->>'ipAddress', p->>'userAgent',
    v_now, v_now, CASE WHEN v_user IS NULL THEN NULL ELSE v_now END,
    (p->>'idleTimeout')::float8, v_now + (p->>'absoluteTimeout')::float8, v_now + (p->>'provisionalTimeout')::float8,
    ARRAY(SELECT json_array_elements_text(p->'keys')), ARRAY(SELECT json_array_elements_text(p->'values')),
    (p->>'bytes')::bigint, v_now, v_now,
    v_now + least(coalesce((p->>'provisionalTimeout')::float8, (p->>'idleTimeout')::float8), (p->>'absoluteTimeout')::float8)
  ) RETURNING * INTO s;
  INSERT INTO "public"."kyb_session_events" (type, session_id, user_id, at) VALUES ('created', s.id, v_user, v_now);
  IF v_metrics THEN
    INSERT INTO "public"."kyb_session_windows" AS w (kind, stretch, shard, amount)
    VALUES ('started', floor(v_now / 3600000)::bigint, pg_backend_pid() % 16, 1)
    ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + 1;
  END IF;
  PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
  PERFORM "public"."kyb_session_finish"(v_victims || v_others, 'limit', v_now, v_metrics);
  UPDATE "public"."kyb_session_counters" c SET
    live = c.live + 1,
    signed_in = c.signed_in + (v_user IS NOT NULL)::int,
    provisional = c.provisional + s.is_provisional::int,
    created = c.created + v_metrics::int
  WHERE c.shard = pg_backend_pid() % 16;
  IF v_metrics THEN PERFORM "public"."kyb_session_note_peak"(v_now); END IF;
  RETURN json_build_object('now', v_now, 'status', 'created', 'record', row_to_json(s));
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_note_peak"(p_time float8) RETURNS void
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_active bigint;
BEGIN
  SELECT sum(c.live) INTO v_active FROM "public"."kyb_session_counters" c;
  IF v_active <= (SELECT h.sessions FROM "public"."kyb_session_peak" h) THEN RETURN; END IF;
  IF NOT pg_try_advisory_xact_lock(pg_catalog.hashtextextended('peak', pg_catalog.hashtext('public.kyb_session'))) THEN RETURN; END IF;
  UPDATE "public"."kyb_session_peak" h SET sessions = v_active, at = p_time WHERE h.sessions < v_active;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_js_number"(p_number float8) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET extra_float_digits = 1 AS $kyb$
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
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_sum"(p_left float8, p_right float8) RETURNS float8
LANGUAGE plpgsql AS $kyb$
BEGIN
  -- An exception costs a subtransaction, so only numbers that can overflow are added under its guard.
  IF abs(p_left) < 8e307 AND abs(p_right) < 8e307 THEN RETURN p_left + p_right; END IF;
  BEGIN
    RETURN p_left + p_right;
  EXCEPTION WHEN numeric_value_out_of_range THEN RETURN NULL;
  END;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_is_readable"(s "public"."kyb_session") RETURNS boolean
LANGUAGE plpgsql AS $kyb$
BEGIN
  IF s.record_version <> 1 THEN RETURN false; END IF;
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
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_apply_ops"(p_ops json, INOUT io_keys text[], INOUT io_values text[], INOUT io_bytes bigint, OUT o_refused text) RETURNS record
LANGUAGE plpgsql AS $kyb$
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
      v_sum := "public"."kyb_session_sum"(CASE WHEN v_value = 'null' THEN 0 ELSE v_value::float8 END, (v_op->>2)::float8);
      IF v_sum IS NULL THEN o_refused := v_key; RETURN; END IF;
      v_value := "public"."kyb_session_js_number"(v_sum);
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
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_replace_secret"(INOUT s "public"."kyb_session", p_hash text, p_kind text, p_time float8) RETURNS "public"."kyb_session"
LANGUAGE plpgsql AS $kyb$
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
    ORDER BY place LIMIT 4
  ) known;
  s.secret_hash := p_hash;
  s.secret_issued_at := p_time;
  s.pending := NULL;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_commit"(p_text text, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
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
  s "public"."kyb_session"%ROWTYPE;
  o "public"."kyb_session"%ROWTYPE;
BEGIN
  -- One order of locks everywhere: the room, the user, sessions by id, counters.
  IF v_limited THEN
    PERFORM pg_advisory_xact_lock(pg_catalog.hashtextextended(c->>'userId', pg_catalog.hashtext('public.kyb_session')));
    v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
    SELECT o_live, o_due INTO v_live, v_due FROM "public"."kyb_session_lock_user_sessions"(c->>'userId', p->>'id', v_now);
  END IF;
  SELECT * INTO s FROM "public"."kyb_session" e WHERE e.id = p->>'id' FOR UPDATE;
  v_now := coalesce(v_now, coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8));
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF NOT "public"."kyb_session_is_readable"(s) THEN RETURN json_build_object('now', v_now, 'status', 'unreadable'); END IF;
  IF s.due_at <= v_now THEN
    PERFORM "public"."kyb_session_finish"(ARRAY[s.id], NULL, v_now, v_metrics);
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
    FROM "public"."kyb_session_apply_ops"(p->'ops', v_keys, v_values, v_bytes);
  IF v_refused IS NOT NULL THEN
    RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'number', 'key', v_refused);
  END IF;
  IF v_bytes > (p->>'maxBytes')::float8 AND v_bytes > s.data_bytes THEN
    RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'metadata', 'bytes', v_bytes);
  END IF;
  IF v_limited THEN
    v_victims := "public"."kyb_session_over_limit"(v_live, (c->>'userMax')::bigint, c->>'policy');
    IF v_victims IS NULL THEN
      PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
      RETURN json_build_object('now', v_now, 'status', 'refused', 'limit', 'user');
    END IF;
  END IF;

  o := s;
  s.version := s.version + 1;
  s.data_keys := v_keys;
  s.data_values := v_values;
  s.data_bytes := v_bytes;
  s.recent_ops := (ARRAY[p->>'opId'] || s.recent_ops)[:4];
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
      s := "public"."kyb_session_replace_secret"(s, c->>'secretHash', 'sign-in', v_now);
    WHEN 'regenerate' THEN
      s.epoch := s.epoch + 1;
      s := "public"."kyb_session_replace_secret"(s, c->>'secretHash', 'regenerated', v_now);
    WHEN 'offer' THEN
      IF s.pending IS NULL THEN
        s.pending := jsonb_build_object('hash', c->>'secretHash', 'nonce', c->>'nonce', 'at', v_now);
      END IF;
    WHEN 'promote' THEN
      IF s.pending IS NOT NULL THEN
        s := "public"."kyb_session_replace_secret"(s, s.pending->>'hash', 'rotated', v_now);
      END IF;
    ELSE NULL;
  END CASE;
  UPDATE "public"."kyb_session" e SET
    version = s.version, epoch = s.epoch, secret_hash = s.secret_hash, secret_issued_at = s.secret_issued_at,
    user_id = s.user_id, authenticated_at = s.authenticated_at, idle_timeout = s.idle_timeout,
    absolute_end = s.absolute_end, provisional_end = s.provisional_end, data_keys = s.data_keys,
    data_values = s.data_values, data_bytes = s.data_bytes, retired = s.retired, pending = s.pending,
    recent_ops = s.recent_ops, last_access = s.last_access, last_activity = s.last_activity
  WHERE e.id = s.id RETURNING e.* INTO s;
  IF s.due_at < s.check_at THEN UPDATE "public"."kyb_session" e SET check_at = s.due_at WHERE e.id = s.id; END IF;
  IF v_kind <> 'offer' THEN
    INSERT INTO "public"."kyb_session_events" (type, session_id, user_id, at)
    VALUES (CASE v_kind WHEN 'sign-in' THEN 'signed-in' ELSE 'regenerated' END, s.id, s.user_id, v_now);
  END IF;
  PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
  PERFORM "public"."kyb_session_finish"(v_victims, 'limit', v_now, v_metrics);
  v_length := s.last_access - o.last_access;
  IF v_length <> 0 OR s.is_provisional <> o.is_provisional OR (s.user_id IS NULL) <> (o.user_id IS NULL) THEN
    PERFORM "public"."kyb_session_count"(
      0, (s.user_id IS NOT NULL)::int - (o.user_id IS NOT NULL)::int,
      s.is_provisional::int - o.is_provisional::int, v_length
    );
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'applied', 'record', row_to_json(s));
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_end"(p_id text, p_reason text, p_epoch float8, p_metrics boolean, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_now float8;
  s "public"."kyb_session"%ROWTYPE;
BEGIN
  SELECT * INTO s FROM "public"."kyb_session" e WHERE e.id = p_id FOR UPDATE;
  v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF s.record_version = 1 AND s.due_at <= v_now THEN
    PERFORM "public"."kyb_session_finish"(ARRAY[p_id], NULL, v_now, p_metrics);
    RETURN json_build_object('now', v_now, 'status', 'gone');
  END IF;
  IF p_epoch IS NOT NULL AND p_epoch <> s.epoch THEN
    RETURN json_build_object('now', v_now, 'status', 'superseded');
  END IF;
  PERFORM "public"."kyb_session_finish"(ARRAY[p_id], p_reason, v_now, p_metrics);
  RETURN json_build_object('now', v_now, 'status', 'ended');
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_end_if_due"(p_id text, p_metrics boolean, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_now float8;
  s "public"."kyb_session"%ROWTYPE;
BEGIN
  SELECT * INTO s FROM "public"."kyb_session" e WHERE e.id = p_id FOR UPDATE;
  v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF s.record_version = 1 AND s.due_at <= v_now THEN
    PERFORM "public"."kyb_session_finish"(ARRAY[p_id], NULL, v_now, p_metrics);
    RETURN json_build_object('now', v_now, 'status', 'gone');
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'live', 'record', row_to_json(s));
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_end_user"(p_user text, p_reason text, p_except text, p_metrics boolean, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_now float8;
  v_live text[];
  v_due text[];
BEGIN
  v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  SELECT o_live, o_due INTO v_live, v_due FROM "public"."kyb_session_lock_user_sessions"(p_user, NULL, v_now);
  v_live := array_remove(v_live, p_except);
  v_due := array_remove(v_due, p_except);
  PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, p_metrics);
  PERFORM "public"."kyb_session_finish"(v_live, p_reason, v_now, p_metrics);
  RETURN json_build_object('now', v_now, 'status', 'ended', 'ids', v_live);
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_track"(p_text text, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
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
    INSERT INTO "public"."kyb_session_batches" AS b (instance, sequence) VALUES (p->>'instance', (p->>'sequence')::bigint)
    ON CONFLICT (instance) DO UPDATE SET sequence = excluded.sequence, written = clock_timestamp()
      WHERE b.sequence < excluded.sequence;
    IF NOT FOUND THEN RETURN json_build_object('now', coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8), 'status', 'repeated'); END IF;
  END IF;
  v_ids := ARRAY(
    SELECT s.id FROM "public"."kyb_session" s
    WHERE s.id = ANY (ARRAY(SELECT i->>0 FROM json_array_elements(p->'items') i)) AND s.record_version = 1
    ORDER BY s.id FOR UPDATE
  );
  v_now := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);

  WITH known AS MATERIALIZED (
    SELECT s.id, s.user_id, s.last_access, s.is_provisional, s.ended_at IS NULL AND s.due_at > v_now AS is_live,
      s.ended_at IS NULL AND s.due_at <= v_now AS is_due,
      (i->>1)::float8 AS access, (i->>2)::float8 AS active, (i->>3)::boolean AS confirm,
      (i->>4)::bigint AS requests, (i->>5)::bigint AS entries
    FROM json_array_elements(p->'items') i JOIN "public"."kyb_session" s ON s.id = i->>0 WHERE s.id = ANY (v_ids)
  ), moved AS (
    UPDATE "public"."kyb_session" s SET
      last_access = greatest(s.last_access, CASE WHEN k.access > v_now THEN least(k.access, s.absolute_end) ELSE k.access END),
      last_activity = greatest(s.last_activity, CASE WHEN k.active > v_now THEN least(k.active, s.absolute_end) ELSE k.active END),
      request_count = s.request_count + k.requests,
      confirmed = s.confirmed OR k.confirm,
      next_entry = s.next_entry + k.entries
    FROM known k WHERE s.id = k.id AND k.is_live
    RETURNING s.id, s.last_access - k.last_access AS length, k.is_provisional::int - s.is_provisional::int AS confirmed,
      s.due_at < s.check_at AS is_nearer, s.next_entry, k.entries
  ), added AS (
    INSERT INTO "public"."kyb_session_activity" (session_id, seq, at, entry)
    SELECT m.id, m.next_entry - m.entries + (e->>1)::bigint, (e->>2)::float8, e->>3
    FROM json_array_elements(p->'entries') e JOIN moved m ON m.id = e->>0
  ), trimmed AS (
    DELETE FROM "public"."kyb_session_activity" a USING moved m
    WHERE a.session_id = m.id AND m.entries > 0 AND a.seq < m.next_entry - v_limit
  )
  SELECT
    (SELECT coalesce(sum(m.length), 0) FROM moved m), (SELECT coalesce(sum(m.confirmed), 0) FROM moved m),
    ARRAY(SELECT m.id FROM moved m WHERE m.is_nearer), ARRAY(SELECT k.id FROM known k WHERE k.is_due),
    ARRAY(SELECT DISTINCT sha256(convert_to(k.user_id, 'UTF8')) AS key FROM known k
      WHERE k.requests > 0 AND k.user_id IS NOT NULL ORDER BY key)
  INTO v_length, v_provisional, v_confirmed, v_due, v_users;
  IF cardinality(v_confirmed) > 0 THEN
    UPDATE "public"."kyb_session" s SET check_at = s.due_at WHERE s.id = ANY (v_confirmed);
  END IF;

  IF v_metrics AND json_array_length(p->'endpoints') > 0 THEN
    PERFORM "public"."kyb_session_count_users"(v_users, floor(v_now / 1000)::bigint);
    INSERT INTO "public"."kyb_session_windows" AS w (kind, stretch, shard, amount)
    VALUES ('requests', floor(v_now / 1000)::bigint, pg_backend_pid() % 16, (p->'counts'->>0)::bigint)
    ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + excluded.amount;
    PERFORM "public"."kyb_session_count_endpoints"(p->'endpoints');
  END IF;
  PERFORM "public"."kyb_session_finish"(v_due, NULL, v_now, v_metrics);
  IF v_length <> 0 OR v_provisional <> 0 OR v_metrics THEN
    UPDATE "public"."kyb_session_counters" c SET
      length = c.length + v_length,
      provisional = c.provisional - v_provisional,
      requests = CASE WHEN v_metrics
        THEN "public"."kyb_session_add"(c.requests, ARRAY(SELECT value::bigint FROM json_array_elements_text(p->'counts') AS value))
        ELSE c.requests END
    WHERE c.shard = pg_backend_pid() % 16;
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'tracked');
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_count_users"(p_users bytea[], p_second bigint) RETURNS void
LANGUAGE plpgsql AS $kyb$
BEGIN
  IF cardinality(p_users) = 0 THEN RETURN; END IF;
  WITH seen AS (
    INSERT INTO "public"."kyb_session_users" AS u (key, seen) SELECT key, p_second FROM unnest(p_users) AS key
    ON CONFLICT (key) DO UPDATE SET previous = u.seen, seen = excluded.seen WHERE u.seen < excluded.seen
    RETURNING u.previous
  )
  INSERT INTO "public"."kyb_session_windows" AS w (kind, stretch, shard, amount)
  SELECT 'users', change.stretch, pg_backend_pid() % 16, sum(change.amount) FROM (
    SELECT p_second AS stretch, 1 AS amount FROM seen
    UNION ALL
    SELECT s.previous, -1 FROM seen s WHERE s.previous IS NOT NULL
  ) change GROUP BY change.stretch ORDER BY change.stretch
  ON CONFLICT (kind, stretch, shard) DO UPDATE SET amount = w.amount + excluded.amount;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_count_endpoints"(p_endpoints json) RETURNS void
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_keys bytea[];
  v_other bigint;
  v_dropped bigint;
BEGIN
  WITH given AS MATERIALIZED (
    SELECT sha256(convert_to(e->>0, 'UTF8')) AS key, e->>0 AS endpoint, (e->>1)::bigint AS requests
    FROM json_array_elements(p_endpoints) e ORDER BY (e->>1)::bigint DESC LIMIT 199
  ), counted AS (
    INSERT INTO "public"."kyb_session_endpoints" AS p (key, endpoint, requests) SELECT g.key, g.endpoint, g.requests FROM given g ORDER BY g.key
    ON CONFLICT (key) DO UPDATE SET requests = p.requests + excluded.requests
  )
  SELECT array_agg(g.key), (SELECT sum((e->>1)::bigint) FROM json_array_elements(p_endpoints) e) - sum(g.requests)
  INTO v_keys, v_other FROM given g;
  -- What others hold right now is left to them: nobody waits here.
  WITH dropped AS (
    DELETE FROM "public"."kyb_session_endpoints" p WHERE p.key = ANY (ARRAY(
      SELECT o.key FROM "public"."kyb_session_endpoints" o WHERE o.key <> ALL (v_keys) ORDER BY o.requests, o.key
      LIMIT greatest((SELECT count(*) FROM "public"."kyb_session_endpoints") - 199, 0) FOR UPDATE SKIP LOCKED
    )) RETURNING p.requests
  )
  SELECT coalesce(sum(d.requests), 0) INTO v_dropped FROM dropped d;
  IF v_other + v_dropped > 0 THEN
    UPDATE "public"."kyb_session_counters" c SET other_endpoints = c.other_endpoints + v_other + v_dropped WHERE c.shard = pg_backend_pid() % 16;
  END IF;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_purge"(p_ids text[]) RETURNS void
LANGUAGE plpgsql AS $kyb$
BEGIN
  IF cardinality(p_ids) = 0 THEN RETURN; END IF;
  DELETE FROM "public"."kyb_session_activity" a WHERE a.session_id = ANY (p_ids);
  DELETE FROM "public"."kyb_session" s WHERE s.id = ANY (p_ids);
  UPDATE "public"."kyb_session_counters" c SET ended = c.ended - cardinality(p_ids) WHERE c.shard = pg_backend_pid() % 16;
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_sweep"(p_slice bigint, p_retention float8, p_max_ended bigint, p_metrics boolean, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_now float8 := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  v_due text[];
  v_ids text[];
  v_looked bigint;
  v_ended bigint;
  v_excess bigint;
BEGIN
  WITH found AS (
    SELECT s.id, s.due_at FROM "public"."kyb_session" s
    WHERE s.ended_at IS NULL AND s.check_at <= v_now AND s.record_version = 1
    ORDER BY s.check_at LIMIT p_slice FOR UPDATE SKIP LOCKED
  ), postponed AS (
    -- Touched since its deadline was filed.
    UPDATE "public"."kyb_session" s SET check_at = f.due_at FROM found f WHERE s.id = f.id AND f.due_at > v_now
  )
  SELECT count(*), array_agg(f.id) FILTER (WHERE f.due_at <= v_now) INTO v_looked, v_due FROM found f;
  v_ended := "public"."kyb_session_finish"(v_due, NULL, v_now, p_metrics);
  IF v_looked = p_slice THEN
    RETURN json_build_object('now', v_now, 'status', 'more', 'ended', v_ended);
  END IF;
  -- By turns, so that what is too much is not counted, and taken, twice.
  IF NOT pg_try_advisory_xact_lock(pg_catalog.hashtextextended('purge', pg_catalog.hashtext('public.kyb_session'))) THEN
    RETURN json_build_object('now', v_now, 'status', 'done', 'ended', v_ended);
  END IF;
  v_ids := ARRAY(
    SELECT s.id FROM "public"."kyb_session" s WHERE s.ended_at <= v_now - p_retention AND s.record_version = 1
    ORDER BY s.ended_at LIMIT p_slice FOR UPDATE SKIP LOCKED
  );
  PERFORM "public"."kyb_session_purge"(v_ids);
  IF p_max_ended IS NOT NULL AND cardinality(v_ids) < p_slice THEN
    SELECT sum(c.ended) - p_max_ended INTO v_excess FROM "public"."kyb_session_counters" c;
    v_ids := ARRAY(
      SELECT s.id FROM "public"."kyb_session" s WHERE s.ended_at IS NOT NULL AND s.record_version = 1
      ORDER BY s.ended_at LIMIT greatest(least(v_excess, p_slice), 0) FOR UPDATE SKIP LOCKED
    );
    PERFORM "public"."kyb_session_purge"(v_ids);
  END IF;
  RETURN json_build_object('now', v_now, 'ended', v_ended,
    'status', CASE WHEN cardinality(v_ids) = p_slice THEN 'more' ELSE 'done' END);
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_tidy"(p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  v_now float8 := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
BEGIN
  IF pg_try_advisory_xact_lock(pg_catalog.hashtextextended('tidy', pg_catalog.hashtext('public.kyb_session'))) THEN
    DELETE FROM "public"."kyb_session_events" e WHERE e.written < clock_timestamp() - interval '10 minutes';
    DELETE FROM "public"."kyb_session_batches" b WHERE b.ctid = ANY (ARRAY(
      SELECT o.ctid FROM "public"."kyb_session_batches" o WHERE o.written < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED));
    DELETE FROM "public"."kyb_session_users" u WHERE u.ctid = ANY (ARRAY(
      SELECT o.ctid FROM "public"."kyb_session_users" o WHERE o.seen < floor(v_now / 1000) - 600 FOR UPDATE SKIP LOCKED));
    DELETE FROM "public"."kyb_session_windows" w WHERE w.ctid = ANY (ARRAY(
      SELECT o.ctid FROM "public"."kyb_session_windows" o WHERE o.kind <> 'started' AND o.stretch < floor(v_now / 1000) - 600
        OR o.kind = 'started' AND o.stretch < floor(v_now / 3600000) - 48 FOR UPDATE SKIP LOCKED));
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'done');
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_import"(p_text text, p_metrics boolean, p_now float8) RETURNS text
LANGUAGE plpgsql AS $kyb$
DECLARE
  p json := p_text::json;
  v_now float8 := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  v_ids text[];
  v_gone bigint[];
  v_count bigint;
  v_signed_in bigint;
  v_provisional bigint;
  v_length float8;
  v_replaced text[];
BEGIN
  -- What an earlier import left and nobody has changed since gives way.
  WITH given AS MATERIALIZED (
    SELECT one->>'id' AS id, (one->>'over')::float8 AS over, (one->>'epoch')::float8 AS epoch,
      one->>'ended_at' IS NULL AND least(CASE WHEN r.provisional_end IS NOT NULL AND NOT r.confirmed THEN r.provisional_end
    ELSE r.last_activity + r.idle_timeout END, r.absolute_end) > v_now AS is_live
    FROM json_array_elements(p->'sessions') one, LATERAL json_populate_record(NULL::"public"."kyb_session", one) r
    WHERE one->>'over' IS NOT NULL
  ), held AS (
    SELECT s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length FROM "public"."kyb_session" s
    JOIN given g ON g.id = s.id AND g.is_live AND s.version = g.over AND s.epoch <= g.epoch
    WHERE s.ended_at IS NULL AND s.due_at > v_now AND s.record_version = 1 ORDER BY s.id FOR UPDATE OF s
  )
  SELECT coalesce(array_agg(DISTINCT h.id), '{}') INTO v_replaced FROM held h;
  IF cardinality(v_replaced) > 0 THEN
    DELETE FROM "public"."kyb_session_activity" a WHERE a.session_id = ANY (v_replaced);
    WITH replaced AS (DELETE FROM "public"."kyb_session" s WHERE s.id = ANY (v_replaced) RETURNING s.*)
    SELECT count(*), count(r.user_id), count(*) FILTER (WHERE r.is_provisional), coalesce(sum(r.last_access - r.created_at), 0)
    INTO v_count, v_signed_in, v_provisional, v_length FROM replaced r;
    PERFORM "public"."kyb_session_count"(-v_count, -v_signed_in, -v_provisional, -v_length);
  END IF;
  WITH given AS MATERIALIZED (
    SELECT g.*, place - 1 AS place, least(CASE WHEN g.provisional_end IS NOT NULL AND NOT g.confirmed THEN g.provisional_end
    ELSE g.last_activity + g.idle_timeout END, g.absolute_end) AS deadline
    FROM json_array_elements(p->'sessions') WITH ORDINALITY AS each(one, place),
      LATERAL json_populate_record(NULL::"public"."kyb_session", each.one) g
  ), taken AS (
    INSERT INTO "public"."kyb_session" AS s (id, record_version, secret_hash, transport, epoch, version, user_id, ip_address, user_agent, created_at, secret_issued_at, authenticated_at, idle_timeout, absolute_end, provisional_end, data_keys, data_values, data_bytes, retired, pending, recent_ops, last_access, last_activity, request_count, confirmed, next_entry, check_at)
    SELECT g.id, g.record_version, g.secret_hash, g.transport, g.epoch, g.version, g.user_id, g.ip_address, g.user_agent, g.created_at, g.secret_issued_at, g.authenticated_at, g.idle_timeout, g.absolute_end, g.provisional_end, g.data_keys, g.data_values, g.data_bytes, g.retired, g.pending, g.recent_ops, g.last_access, g.last_activity, g.request_count, g.confirmed, g.next_entry, g.deadline FROM given g
    WHERE g.ended_at IS NULL AND g.deadline > v_now ORDER BY g.id, g.place
    ON CONFLICT (id) DO NOTHING
    RETURNING s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length
  ), entries AS (
    INSERT INTO "public"."kyb_session_activity" (session_id, seq, at, entry)
    SELECT t.id, (e->>1)::bigint, (e->>2)::float8, e->>3
    FROM json_array_elements(p->'entries') e JOIN taken t ON t.id = e->>0
    ON CONFLICT DO NOTHING
  )
  SELECT coalesce(array_agg(t.id), '{}'), count(*), count(t.user_id), count(*) FILTER (WHERE t.is_provisional),
    coalesce(sum(t.length), 0), ARRAY(
      SELECT g.place FROM given g WHERE (g.ended_at IS NOT NULL OR g.deadline <= v_now)
        AND NOT EXISTS (SELECT 1 FROM "public"."kyb_session" s WHERE s.id = g.id)
    )
  INTO v_ids, v_count, v_signed_in, v_provisional, v_length, v_gone FROM taken t;
  UPDATE "public"."kyb_session_counters" c SET
    live = c.live + v_count,
    signed_in = c.signed_in + v_signed_in,
    provisional = c.provisional + v_provisional,
    length = c.length + v_length,
    created = c.created + CASE WHEN p_metrics THEN v_count - cardinality(v_replaced) ELSE 0 END
  WHERE c.shard = pg_backend_pid() % 16;
  IF p_metrics THEN PERFORM "public"."kyb_session_note_peak"(v_now); END IF;
  RETURN json_build_object('now', v_now, 'status', 'done', 'ids', v_ids, 'gone', v_gone);
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_find"(p_id text, p_retention float8, p_now float8) RETURNS text
LANGUAGE plpgsql STABLE AS $kyb$
BEGIN
  RETURN (
    SELECT row_to_json(s) FROM "public"."kyb_session" s
    WHERE s.id = p_id AND (s.ended_at IS NULL OR s.ended_at > coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8) - p_retention)
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_timeline"(p_id text, p_limit bigint, p_offset bigint, p_before bigint, p_retention float8, p_ended_retention float8, p_now float8) RETURNS text
LANGUAGE plpgsql STABLE AS $kyb$
DECLARE
  v_now float8 := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  v_after float8 := coalesce(v_now - p_retention, '-infinity');
BEGIN
  RETURN (
    SELECT json_build_object(
      'total', (SELECT count(*) FROM "public"."kyb_session_activity" a WHERE a.session_id = p_id AND a.at > v_after),
      'entries', (
        SELECT coalesce(json_agg(json_build_array(page.seq, page.entry) ORDER BY page.seq DESC), '[]') FROM (
          SELECT a.seq, a.entry FROM "public"."kyb_session_activity" a
          WHERE a.session_id = p_id AND a.at > v_after AND (p_before IS NULL OR a.seq < p_before)
          ORDER BY a.seq DESC LIMIT p_limit OFFSET p_offset
        ) page
      )
    )
    FROM "public"."kyb_session" s
    WHERE s.id = p_id AND (s.ended_at IS NULL OR s.ended_at > v_now - p_ended_retention)
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_sum_arrays"(p_name text) RETURNS json
LANGUAGE plpgsql STABLE AS $kyb$
BEGIN
  RETURN (
    SELECT coalesce(json_agg(summed.total ORDER BY summed.place), '[]') FROM (
      SELECT each.place, sum(each.amount) AS total FROM "public"."kyb_session_counters" c
      CROSS JOIN LATERAL unnest(CASE p_name WHEN 'reasons' THEN c.reasons ELSE c.requests END)
        WITH ORDINALITY AS each(amount, place)
      GROUP BY each.place
    ) summed
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_metrics"(p_now float8) RETURNS text
LANGUAGE plpgsql STABLE AS $kyb$
DECLARE
  v_now float8 := coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8);
  v_hour bigint := floor(v_now / 3600000);
  v_second bigint := floor(v_now / 1000);
BEGIN
  RETURN (
    SELECT json_build_object(
      'live', sum(c.live), 'signedIn', sum(c.signed_in), 'provisional', sum(c.provisional), 'length', sum(c.length),
      'created', sum(c.created), 'otherEndpoints', sum(c.other_endpoints),
      'reasons', "public"."kyb_session_sum_arrays"('reasons'), 'requests', "public"."kyb_session_sum_arrays"('requests'),
      'peak', (SELECT json_build_array(h.sessions, h.at) FROM "public"."kyb_session_peak" h),
      'started', (
        SELECT coalesce(json_agg(json_build_array(w.stretch % 24, w.amount)), '[]') FROM "public"."kyb_session_windows" w
        WHERE w.kind = 'started' AND w.stretch > v_hour - 24 AND w.stretch <= v_hour
      ),
      'lastMinute', (
        SELECT coalesce(sum(w.amount), 0) FROM "public"."kyb_session_windows" w
        WHERE w.kind = 'requests' AND w.stretch > v_second - 60 AND w.stretch <= v_second
      ),
      'activeUsers', (
        SELECT coalesce(sum(w.amount), 0) FROM "public"."kyb_session_windows" w
        WHERE w.kind = 'users' AND w.stretch > v_second - 300 AND w.stretch <= v_second
      ),
      'endpoints', (SELECT coalesce(json_agg(json_build_array(p.endpoint, p.requests)), '[]') FROM "public"."kyb_session_endpoints" p)
    ) FROM "public"."kyb_session_counters" c
  );
END
$kyb$;

CREATE FUNCTION "public"."kyb_session_news"(p_since text, p_seq bigint) RETURNS text
LANGUAGE plpgsql STABLE AS $kyb$
BEGIN
  RETURN (
    SELECT json_build_object(
      'since', pg_current_snapshot()::text,
      'seq', (SELECT coalesce(max(e.seq), 0) FROM "public"."kyb_session_events" e),
      'events', CASE WHEN p_since IS NULL THEN '[]' ELSE (
        SELECT coalesce(json_agg(json_build_array(e.type, e.session_id, e.user_id, e.at, e.reason) ORDER BY e.seq), '[]')
        FROM "public"."kyb_session_events" e
        -- After a failover that lost transactions, new ones have the numbers of those that are gone.
        WHERE e.xid >= pg_snapshot_xmin(p_since::pg_snapshot) AND NOT pg_visible_in_snapshot(e.xid, p_since::pg_snapshot)
          OR e.seq > p_seq
      ) END
    )
  );
END
$kyb$;

CREATE TABLE "public"."kyb_session_meta" (version integer NOT NULL);

INSERT INTO "public"."kyb_session_meta" (version) VALUES (1);
COMMIT;
