import type { Names } from "../identifiers.ts";
import { createFunction, NOW } from "./function.ts";

/** What only reads: functions, because their plans are kept, and those of a statement are made each time. */
export function readingFunctions(names: Names): readonly string[] {
  const { sessions, activity, counters, windows, endpoints, events, peak, fn } = names;
  return [
    createFunction(names, {
      name: "find",
      parameters: "p_id text, p_retention float8, p_now float8",
      returns: "text",
      options: "STABLE",
      body: `
BEGIN
  RETURN (
    SELECT row_to_json(s) FROM ${sessions} s
    WHERE s.id = p_id AND (s.ended_at IS NULL OR s.ended_at > ${NOW} - p_retention)
  );
END`,
    }),
    createFunction(names, {
      name: "timeline",
      parameters:
        "p_id text, p_limit bigint, p_offset bigint, p_before bigint, p_retention float8, p_ended_retention float8, p_now float8",
      returns: "text",
      options: "STABLE",
      body: `
DECLARE
  v_now float8 := ${NOW};
  v_after float8 := coalesce(v_now - p_retention, '-infinity');
BEGIN
  RETURN (
    SELECT json_build_object(
      'total', (SELECT count(*) FROM ${activity} a WHERE a.session_id = p_id AND a.at > v_after),
      'entries', (
        SELECT coalesce(json_agg(json_build_array(page.seq, page.entry) ORDER BY page.seq DESC), '[]') FROM (
          SELECT a.seq, a.entry FROM ${activity} a
          WHERE a.session_id = p_id AND a.at > v_after AND (p_before IS NULL OR a.seq < p_before)
          ORDER BY a.seq DESC LIMIT p_limit OFFSET p_offset
        ) page
      )
    )
    FROM ${sessions} s
    WHERE s.id = p_id AND (s.ended_at IS NULL OR s.ended_at > v_now - p_ended_retention)
  );
END`,
    }),
    createFunction(names, {
      name: "sum_arrays",
      parameters: "p_name text",
      returns: "json",
      options: "STABLE",
      body: `
BEGIN
  RETURN (
    SELECT coalesce(json_agg(summed.total ORDER BY summed.place), '[]') FROM (
      SELECT each.place, sum(each.amount) AS total FROM ${counters} c
      CROSS JOIN LATERAL unnest(CASE p_name WHEN 'reasons' THEN c.reasons ELSE c.requests END)
        WITH ORDINALITY AS each(amount, place)
      GROUP BY each.place
    ) summed
  );
END`,
    }),
    createFunction(names, {
      name: "metrics",
      parameters: "p_now float8",
      returns: "text",
      options: "STABLE",
      body: `
DECLARE
  v_now float8 := ${NOW};
  v_hour bigint := floor(v_now / 3600000);
  v_second bigint := floor(v_now / 1000);
BEGIN
  RETURN (
    SELECT json_build_object(
      'live', sum(c.live), 'signedIn', sum(c.signed_in), 'provisional', sum(c.provisional), 'length', sum(c.length),
      'created', sum(c.created), 'otherEndpoints', sum(c.other_endpoints),
      'reasons', ${fn("sum_arrays")}('reasons'), 'requests', ${fn("sum_arrays")}('requests'),
      'peak', (SELECT json_build_array(h.sessions, h.at) FROM ${peak} h),
      'started', (
        SELECT coalesce(json_agg(json_build_array(w.stretch % 24, w.amount)), '[]') FROM ${windows} w
        WHERE w.kind = 'started' AND w.stretch > v_hour - 24 AND w.stretch <= v_hour
      ),
      'lastMinute', (
        SELECT coalesce(sum(w.amount), 0) FROM ${windows} w
        WHERE w.kind = 'requests' AND w.stretch > v_second - 60 AND w.stretch <= v_second
      ),
      'activeUsers', (
        SELECT coalesce(sum(w.amount), 0) FROM ${windows} w
        WHERE w.kind = 'users' AND w.stretch > v_second - 300 AND w.stretch <= v_second
      ),
      'endpoints', (SELECT coalesce(json_agg(json_build_array(p.endpoint, p.requests)), '[]') FROM ${endpoints} p)
    ) FROM ${counters} c
  );
END`,
    }),
    // What was committed since the snapshot that the caller was given the last time: nothing twice, nothing left out,
    // though transactions end in another order than they began.
    createFunction(names, {
      name: "news",
      parameters: "p_since text, p_seq bigint",
      returns: "text",
      options: "STABLE",
      body: `
BEGIN
  RETURN (
    SELECT json_build_object(
      'since', pg_current_snapshot()::text,
      'seq', (SELECT coalesce(max(e.seq), 0) FROM ${events} e),
      'events', CASE WHEN p_since IS NULL THEN '[]' ELSE (
        SELECT coalesce(json_agg(json_build_array(e.type, e.session_id, e.user_id, e.at, e.reason) ORDER BY e.seq), '[]')
        FROM ${events} e
        -- After a failover that lost transactions, new ones have the numbers of those that are gone.
        WHERE e.xid >= pg_snapshot_xmin(p_since::pg_snapshot) AND NOT pg_visible_in_snapshot(e.xid, p_since::pg_snapshot)
          OR e.seq > p_seq
      ) END
    )
  );
END`,
    }),
  ];
}
