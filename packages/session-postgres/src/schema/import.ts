import { RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW, SHARD } from "./function.ts";

/** The columns that an imported session brings along, `check_at` last. */
const COLUMNS = [
  "id",
  "record_version",
  "secret_hash",
  "transport",
  "epoch",
  "version",
  "user_id",
  "ip_address",
  "user_agent",
  "created_at",
  "secret_issued_at",
  "authenticated_at",
  "idle_timeout",
  "absolute_end",
  "provisional_end",
  "data_keys",
  "data_values",
  "data_bytes",
  "retired",
  "pending",
  "recent_ops",
  "last_access",
  "last_activity",
  "request_count",
  "confirmed",
  "next_entry",
] as const;

/** When a row falls due; the generated column is not there before it is inserted. */
function deadlineOf(row: string): string {
  return `least(CASE WHEN ${row}.provisional_end IS NOT NULL AND NOT ${row}.confirmed THEN ${row}.provisional_end
    ELSE ${row}.last_activity + ${row}.idle_timeout END, ${row}.absolute_end)`;
}

/** `import`: what is there already stays, and what is over does not come. */
export function importFunctions(names: Names): readonly string[] {
  const { sessions, activity, counters, fn } = names;
  const columns = COLUMNS.join(", ");
  return [
    createFunction(names, {
      name: "import",
      parameters: "p_text text, p_metrics boolean, p_now float8",
      returns: "text",
      body: `
DECLARE
  p json := p_text::json;
  v_now float8 := ${NOW};
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
      one->>'ended_at' IS NULL AND ${deadlineOf("r")} > v_now AS is_live
    FROM json_array_elements(p->'sessions') one, LATERAL json_populate_record(NULL::${sessions}, one) r
    WHERE one->>'over' IS NOT NULL
  ), held AS (
    SELECT s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length FROM ${sessions} s
    JOIN given g ON g.id = s.id AND g.is_live AND s.version = g.over AND s.epoch <= g.epoch
    WHERE s.ended_at IS NULL AND s.due_at > v_now AND s.record_version = ${RECORD_VERSION} ORDER BY s.id FOR UPDATE OF s
  )
  SELECT coalesce(array_agg(DISTINCT h.id), '{}') INTO v_replaced FROM held h;
  IF cardinality(v_replaced) > 0 THEN
    DELETE FROM ${activity} a WHERE a.session_id = ANY (v_replaced);
    WITH replaced AS (DELETE FROM ${sessions} s WHERE s.id = ANY (v_replaced) RETURNING s.*)
    SELECT count(*), count(r.user_id), count(*) FILTER (WHERE r.is_provisional), coalesce(sum(r.last_access - r.created_at), 0)
    INTO v_count, v_signed_in, v_provisional, v_length FROM replaced r;
    PERFORM ${fn("count")}(-v_count, -v_signed_in, -v_provisional, -v_length);
  END IF;
  WITH given AS MATERIALIZED (
    SELECT g.*, place - 1 AS place, ${deadlineOf("g")} AS deadline
    FROM json_array_elements(p->'sessions') WITH ORDINALITY AS each(one, place),
      LATERAL json_populate_record(NULL::${sessions}, each.one) g
  ), taken AS (
    INSERT INTO ${sessions} AS s (${columns}, check_at)
    SELECT ${COLUMNS.map((column) => `g.${column}`).join(", ")}, g.deadline FROM given g
    WHERE g.ended_at IS NULL AND g.deadline > v_now ORDER BY g.id, g.place
    ON CONFLICT (id) DO NOTHING
    RETURNING s.id, s.user_id, s.is_provisional, s.last_access - s.created_at AS length
  ), entries AS (
    INSERT INTO ${activity} (session_id, seq, at, entry)
    SELECT t.id, (e->>1)::bigint, (e->>2)::float8, e->>3
    FROM json_array_elements(p->'entries') e JOIN taken t ON t.id = e->>0
    ON CONFLICT DO NOTHING
  )
  SELECT coalesce(array_agg(t.id), '{}'), count(*), count(t.user_id), count(*) FILTER (WHERE t.is_provisional),
    coalesce(sum(t.length), 0), ARRAY(
      SELECT g.place FROM given g WHERE (g.ended_at IS NOT NULL OR g.deadline <= v_now)
        AND NOT EXISTS (SELECT 1 FROM ${sessions} s WHERE s.id = g.id)
    )
  INTO v_ids, v_count, v_signed_in, v_provisional, v_length, v_gone FROM taken t;
  UPDATE ${counters} c SET
    live = c.live + v_count,
    signed_in = c.signed_in + v_signed_in,
    provisional = c.provisional + v_provisional,
    length = c.length + v_length,
    created = c.created + CASE WHEN p_metrics THEN v_count - cardinality(v_replaced) ELSE 0 END
  WHERE c.shard = ${SHARD};
  IF p_metrics THEN PERFORM ${fn("note_peak")}(v_now); END IF;
  RETURN json_build_object('now', v_now, 'status', 'done', 'ids', v_ids, 'gone', v_gone);
END`,
    }),
  ];
}
