import { RECORD_VERSION } from "@kyb/session-core/store";
import type { Names } from "../identifiers.ts";
import { createFunction, NOW } from "./function.ts";

/** `end`, `endIfDue`, `endUser`. A record of another version is ended without a look at its deadline. */
export function endFunctions(names: Names): readonly string[] {
  const { sessions, fn } = names;
  return [
    createFunction(names, {
      name: "end",
      parameters: "p_id text, p_reason text, p_epoch float8, p_metrics boolean, p_now float8",
      returns: "text",
      body: `
DECLARE
  v_now float8;
  s ${sessions}%ROWTYPE;
BEGIN
  SELECT * INTO s FROM ${sessions} e WHERE e.id = p_id FOR UPDATE;
  v_now := ${NOW};
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF s.record_version = ${RECORD_VERSION} AND s.due_at <= v_now THEN
    PERFORM ${fn("finish")}(ARRAY[p_id], NULL, v_now, p_metrics);
    RETURN json_build_object('now', v_now, 'status', 'gone');
  END IF;
  IF p_epoch IS NOT NULL AND p_epoch <> s.epoch THEN
    RETURN json_build_object('now', v_now, 'status', 'superseded');
  END IF;
  PERFORM ${fn("finish")}(ARRAY[p_id], p_reason, v_now, p_metrics);
  RETURN json_build_object('now', v_now, 'status', 'ended');
END`,
    }),
    createFunction(names, {
      name: "end_if_due",
      parameters: "p_id text, p_metrics boolean, p_now float8",
      returns: "text",
      body: `
DECLARE
  v_now float8;
  s ${sessions}%ROWTYPE;
BEGIN
  SELECT * INTO s FROM ${sessions} e WHERE e.id = p_id FOR UPDATE;
  v_now := ${NOW};
  IF NOT FOUND OR s.ended_at IS NOT NULL THEN RETURN json_build_object('now', v_now, 'status', 'gone'); END IF;
  IF s.record_version = ${RECORD_VERSION} AND s.due_at <= v_now THEN
    PERFORM ${fn("finish")}(ARRAY[p_id], NULL, v_now, p_metrics);
    RETURN json_build_object('now', v_now, 'status', 'gone');
  END IF;
  RETURN json_build_object('now', v_now, 'status', 'live', 'record', row_to_json(s));
END`,
    }),
    // One transaction: whoever reads sees all of them live or none.
    createFunction(names, {
      name: "end_user",
      parameters: "p_user text, p_reason text, p_except text, p_metrics boolean, p_now float8",
      returns: "text",
      body: `
DECLARE
  v_now float8;
  v_live text[];
  v_due text[];
BEGIN
  v_now := ${NOW};
  SELECT o_live, o_due INTO v_live, v_due FROM ${fn("lock_user_sessions")}(p_user, NULL, v_now);
  v_live := array_remove(v_live, p_except);
  v_due := array_remove(v_due, p_except);
  PERFORM ${fn("finish")}(v_due, NULL, v_now, p_metrics);
  PERFORM ${fn("finish")}(v_live, p_reason, v_now, p_metrics);
  RETURN json_build_object('now', v_now, 'status', 'ended', 'ids', v_live);
END`,
    }),
  ];
}
