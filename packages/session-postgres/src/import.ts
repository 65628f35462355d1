import { type ImportedSession, type ImportStatus, RECORD_VERSION } from "@kyb/session-core/store";
import { encodeOptional, encodeText, idText } from "./stored-text.ts";

/** Sessions of another store as the function `import` takes them: rows by the names of their columns. */
export function importText(sessions: readonly ImportedSession[], activityLimit: number): string {
  const kept = sessions.map(({ record, entries, over }) => ({
    record,
    over,
    // Oldest first, as they are numbered.
    entries: entries.slice(0, activityLimit).reverse(),
  }));
  return JSON.stringify({
    sessions: kept.map(({ record: { state, ...record }, entries, over }) => {
      const data = Object.entries(state.metadata);
      return {
        id: idText(state.id),
        record_version: RECORD_VERSION,
        secret_hash: state.secretHash,
        transport: state.transport,
        epoch: state.epoch,
        version: state.version,
        user_id: encodeOptional(state.userId),
        ip_address: encodeText(state.ipAddress),
        user_agent: encodeText(state.userAgent),
        created_at: state.createdAt,
        secret_issued_at: state.secretIssuedAt,
        authenticated_at: state.authenticatedAt,
        idle_timeout: state.idleTimeout,
        absolute_end: state.absoluteEnd,
        provisional_end: state.provisionalEnd,
        data_keys: data.map(([key]) => encodeText(key)),
        data_values: data.map(([, value]) => JSON.stringify(value)),
        data_bytes: state.metadataBytes,
        retired: state.retired,
        pending: state.pending,
        recent_ops: [],
        last_access: record.lastAccessTime,
        last_activity: record.lastActivityTime,
        request_count: record.requestCount,
        confirmed: record.confirmed,
        next_entry: entries.length,
        ended_at: record.endedAt,
        over,
      };
    }),
    entries: kept.flatMap(({ record, entries }) =>
      entries.map((entry, place) => [
        idText(record.state.id),
        place,
        entry.timestamp,
        JSON.stringify(entry),
      ]),
    ),
  });
}

/** What became of each: `imported` are ids, `gone` the places of those that were over and unknown. */
export function importStatuses(
  sessions: readonly ImportedSession[],
  imported: readonly string[],
  gone: readonly number[],
): readonly ImportStatus[] {
  const left = new Set(imported);
  return sessions.map(({ record }, place) => {
    if (gone.includes(place)) return "gone";
    // The same id again is that of a session which has just come.
    return left.delete(idText(record.state.id)) ? "imported" : "exists";
  });
}
