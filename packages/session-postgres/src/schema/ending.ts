import type { Names } from "../identifiers.ts";
import { createFunction, END_REASONS, SHARD } from "./function.ts";

const REASONS = `ARRAY[${END_REASONS.map((reason) => `'${reason}'`).join(", ")}]`;

/** What the other functions are made of: counting, and ending sessions whose rows the caller has locked. */
export function endingFunctions(names: Names): readonly string[] {
  const { sessions, counters, events, fn } = names;
  return [
    createFunction(names, {
      name: "count",
      parameters: "p_live bigint, p_signed_in bigint, p_provisional bigint, p_length float8",
      returns: "void",
      body: `
BEGIN
  UPDATE ${counters} c SET
    live = c.live + p_live,
    signed_in = c.signed_in + p_signed_in,
    provisional = c.provisional + p_provisional,
    length = c.length + p_length
  WHERE c.shard = ${SHARD};
END`,
    }),
    createFunction(names, {
      name: "add",
      parameters: "p_left bigint[], p_right bigint[]",
      returns: "bigint[]",
      options: "IMMUTABLE",
      body: `
BEGIN
  IF cardinality(p_left) = 0 THEN RETURN p_right; END IF;
  RETURN ARRAY(
    SELECT coalesce(l, 0) + coalesce(r, 0)
    FROM unnest(p_left, p_right) WITH ORDINALITY AS both_sides(l, r, place) ORDER BY place
  );
END`,
    }),
    // Ends sessions that are live, as due ones where p_reason is null. The caller has locked them and does nothing
    // afterwards but count: the counters come last in the order of locks.
    createFunction(names, {
      name: "finish",
      parameters: "p_ids text[], p_reason text, p_time float8, p_metrics boolean",
      returns: "bigint",
      body: `
DECLARE
  v_count bigint;
  v_signed_in bigint;
  v_provisional bigint;
  v_length float8;
  v_reasons bigint[];
BEGIN
  IF coalesce(cardinality(p_ids), 0) = 0 THEN RETURN 0; END IF;
  WITH done AS (
    UPDATE ${sessions} s SET
      ended_at = p_time,
      end_reason = coalesce(p_reason, CASE
        WHEN p_time >= s.absolute_end THEN 'absolute'
        WHEN s.provisional_end IS NOT NULL AND NOT s.confirmed THEN 'provisional'
        ELSE 'idle' END)
    WHERE s.id = ANY (p_ids) AND s.ended_at IS NULL
    RETURNING s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length, s.end_reason
  ), told AS (
    INSERT INTO ${events} (type, session_id, user_id, at, reason)
    SELECT 'ended', d.id, d.user_id, p_time, d.end_reason FROM done d ORDER BY d.id
  )
  SELECT count(*), count(d.user_id), count(*) FILTER (WHERE d.is_provisional), coalesce(sum(d.length), 0),
    ARRAY(
      SELECT (SELECT count(*) FROM done e WHERE e.end_reason = known.reason)
      FROM unnest(${REASONS}) WITH ORDINALITY AS known(reason, place) ORDER BY place
    )
  INTO v_count, v_signed_in, v_provisional, v_length, v_reasons FROM done d;
  UPDATE ${counters} c SET
    live = c.live - v_count,
    signed_in = c.signed_in - v_signed_in,
    provisional = c.provisional - v_provisional,
    length = c.length - v_length,
    ended = c.ended + v_count,
    reasons = CASE WHEN p_metrics THEN ${fn("add")}(c.reasons, v_reasons) ELSE c.reasons END
  WHERE c.shard = ${SHARD};
  RETURN v_count;
END`,
    }),
    // The live sessions of a user, locked, in one order for all: by id. Due ones are named apart.
    createFunction(names, {
      name: "lock_user_sessions",
      parameters: "p_user text, p_self text, p_time float8, OUT o_live text[], OUT o_due text[]",
      returns: "record",
      body: `
BEGIN
  WITH locked AS (
    SELECT s.id, s.due_at, s.user_id FROM ${sessions} s
    WHERE s.id = ANY (ARRAY(
      SELECT u.id FROM ${sessions} u
      WHERE "left"(u.user_id, 200) = "left"(p_user, 200) AND u.user_id = p_user AND u.ended_at IS NULL
    ) || p_self) AND s.ended_at IS NULL
    ORDER BY s.id FOR UPDATE
  )
  SELECT array_agg(l.id) FILTER (WHERE l.due_at > p_time), array_agg(l.id) FILTER (WHERE l.due_at <= p_time)
  INTO o_live, o_due FROM locked l
  WHERE l.user_id = p_user AND l.id IS DISTINCT FROM p_self;
  o_live := coalesce(o_live, '{}');
  o_due := coalesce(o_due, '{}');
END`,
    }),
    // Who has to go so that one more fits; null: it is refused.
    createFunction(names, {
      name: "over_limit",
      parameters: "p_live text[], p_max bigint, p_policy text",
      returns: "text[]",
      body: `
BEGIN
  IF cardinality(p_live) < p_max THEN RETURN '{}'; END IF;
  IF p_policy = 'reject' THEN RETURN NULL; END IF;
  RETURN ARRAY(
    SELECT s.id FROM ${sessions} s WHERE s.id = ANY (p_live)
    ORDER BY CASE WHEN p_policy = 'evict-oldest' THEN s.created_at ELSE s.last_access END, s.id
    LIMIT cardinality(p_live) - p_max + 1
  );
END`,
    }),
  ];
}
