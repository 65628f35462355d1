import { RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW, SHARD } from "./function.ts";

/** Milliseconds after which a tracker's batches are forgotten, and events; whoever polls does so every second. */
const BATCHES_KEPT = "interval '1 day'";
const EVENTS_KEPT = "interval '10 minutes'";

/** `sweep`: a slice of what is due or kept long enough, of what nobody else holds; then what the numbers leave behind. */
export function sweepFunctions(names: Names): readonly string[] {
  const { sessions, activity, counters, windows, users, batches, events, fn, lock } = names;
  return [
    createFunction(names, {
      name: "purge",
      parameters: "p_ids text[]",
      returns: "void",
      body: `
BEGIN
  IF cardinality(p_ids) = 0 THEN RETURN; END IF;
  DELETE FROM ${activity} a WHERE a.session_id = ANY (p_ids);
  DELETE FROM ${sessions} s WHERE s.id = ANY (p_ids);
  UPDATE ${counters} c SET ended = c.ended - cardinality(p_ids) WHERE c.shard = ${SHARD};
END`,
    }),
    createFunction(names, {
      name: "sweep",
      parameters:
        "p_slice bigint, p_retention float8, p_max_ended bigint, p_metrics boolean, p_now float8",
      returns: "text",
      body: `
DECLARE
  v_now float8 := ${NOW};
  v_due text[];
  v_ids text[];
  v_looked bigint;
  v_ended bigint;
  v_excess bigint;
BEGIN
  WITH found AS (
    SELECT s.id, s.due_at FROM ${sessions} s
    WHERE s.ended_at IS NULL AND s.check_at <= v_now AND s.record_version = ${RECORD_VERSION}
    ORDER BY s.check_at LIMIT p_slice FOR UPDATE SKIP LOCKED
  ), postponed AS (
    -- Touched since its deadline was filed.
    UPDATE ${sessions} s SET check_at = f.due_at FROM found f WHERE s.id = f.id AND f.due_at > v_now
  )
  SELECT count(*), array_agg(f.id) FILTER (WHERE f.due_at <= v_now) INTO v_looked, v_due FROM found f;
  v_ended := ${fn("finish")}(v_due, NULL, v_now, p_metrics);
  IF v_looked = p_slice THEN
    RETURN json_build_object('now', v_now, 'status', 'more', 'ended', v_ended);
  END IF;
  -- By turns, so that what is too much is not counted, and taken, twice.
  IF NOT pg_try_advisory_xact_lock(${lock("'purge'")}) THEN
    RETURN json_build_object('now', v_now, 'status', 'done', 'ended', v_ended);
  END IF;
  v_ids := ARRAY(
    SELECT s.id FROM ${sessions} s WHERE s.ended_at <= v_now - p_retention AND s.record_version = ${RECORD_VERSION}
    ORDER BY s.ended_at LIMIT p_slice FOR UPDATE SKIP LOCKED
  );
  PERFORM ${fn("purge")}(v_ids);
  IF p_max_ended IS NOT NULL AND cardinality(v_ids) < p_slice THEN
    SELECT sum(c.ended) - p_max_ended INTO v_excess FROM ${counters} c;
    v_ids := ARRAY(
      SELECT s.id FROM ${sessions} s WHERE s.ended_at IS NOT NULL AND s.record_version = ${RECORD_VERSION}
      ORDER BY s.ended_at LIMIT greatest(least(v_excess, p_slice), 0) FOR UPDATE SKIP LOCKED
    );
    PERFORM ${fn("purge")}(v_ids);
  END IF;
  RETURN json_build_object('now', v_now, 'ended', v_ended,
    'status', CASE WHEN cardinality(v_ids) = p_slice THEN 'more' ELSE 'done' END);
END`,
    }),
    createFunction(names, {
      name: "tidy",
      parameters: "p_now float8",
      returns: "text",
      body: `
DECLARE
  v_now float8 := ${NOW};
BEGIN
  IF pg_try_advisory_xact_lock(${lock("'tidy'")}) THEN
    DELETE FROM ${events} e WHERE e.written < clock_timestamp() - ${EVENTS_KEPT};
    DELETE FROM ${batches} b WHERE b.ctid = ANY (ARRAY(
      SELECT o.ctid FROM ${batches} o WHERE o.written < clock_timestamp() - ${BATCHES_KEPT} FOR UPDATE SKIP LOCKED));
    DELETE FROM ${users} u WHERE u.ctid = ANY (ARRAY(
      SELECT o.ctid FROM ${users} o WHERE o.seen < floor(v_now / 1000) - 600 FOR UPDATE SKIP LOCKED));
    DELETE FROM ${windows} w WHERE w.ctid = ANY (ARRAY(
      SELECT o.ctid FROM ${windows} o WHERE o.kind <> 'started' AND o.stretch < floor(v_now / 1000) - 600
        OR o.kind = 'started' AND o.stretch < floor(v_now / 3600000) - 48 FOR UPDATE SKIP LOCKED));
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'done');
END`,
    }),
  ];
}
