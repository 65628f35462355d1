import {
  type ImportedSession,
  type ImportStatus,
  lifecycle,
  type SessionRecord,
} from "@kyb/session-core/store";
import { dueReason, isSound, recordOf, rowOf, type WholeRow } from "./row.ts";
import type { Step } from "./step.ts";
import { appendEntries, timelineRule } from "./timeline.ts";

/** Takes in a session with what was seen of it elsewhere; also in the place of what an earlier import left. */
export function importSession(step: Step, session: ImportedSession): ImportStatus {
  const { record, entries, over } = session;
  if (lifecycle(record, step.now) !== "live") return "gone";
  const existing = step.sessions.findWhole(record.state.id);
  if (existing !== undefined) {
    if (!isBehind(step, existing, record, over)) return "exists";
    step.sessions.forget(existing);
  } else if (step.settings.metrics) step.totals.add("created", 1);
  const row = step.sessions.add(rowOf(record, []));
  const rule = timelineRule(step.settings, step.now);
  const kept = entries.slice(0, rule.limit).reverse();
  step.sessions.update(row, { last_entry: appendEntries(step.db, row, kept, rule) });
  return "imported";
}

/** Whether what is here is live and what an earlier import left, and has not gone further than what comes now. */
function isBehind(
  step: Step,
  row: WholeRow,
  record: SessionRecord,
  over: number | undefined,
): boolean {
  if (over === undefined || row.ended_at !== null || !isSound(row)) return false;
  if (dueReason(row, step.now) !== undefined) return false;
  const { version, epoch } = recordOf(row).state;
  return version === over && epoch <= record.state.epoch;
}
