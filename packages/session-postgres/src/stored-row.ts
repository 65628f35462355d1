import {
  type NewSession,
  parseRecord,
  SessionError,
  type SessionRecord,
} from "@kyb/session-core/store";
import { decodeText, encodeOptional, encodeText } from "./stored-text.ts";

/** A row of the sessions as `row_to_json` gives it; nothing in it is believed. */
type Row = Readonly<Record<string, unknown>>;

/** A record out of its row. Throws `RECORD_UNREADABLE` naming session and field. */
export function recordOf(value: unknown): SessionRecord {
  const row = value as Row;
  const text = (field: string): unknown => decoded(row, field);
  return parseRecord({
    version: row.record_version,
    state: {
      id: row.id,
      secretHash: row.secret_hash,
      transport: row.transport,
      epoch: row.epoch,
      version: row.version,
      userId: row.user_id === null ? undefined : text("user_id"),
      ipAddress: text("ip_address"),
      userAgent: text("user_agent"),
      createdAt: row.created_at,
      secretIssuedAt: row.secret_issued_at,
      authenticatedAt: row.authenticated_at,
      idleTimeout: row.idle_timeout,
      absoluteEnd: row.absolute_end,
      provisionalEnd: row.provisional_end,
      metadata: metadataOf(row),
      metadataBytes: row.data_bytes,
      retired: row.retired,
      pending: row.pending,
    },
    lastAccessTime: row.last_access,
    lastActivityTime: row.last_activity,
    requestCount: row.request_count,
    confirmed: row.confirmed,
    endedAt: row.ended_at,
    endReason: row.end_reason,
  });
}

/** What `create` is told of a session. */
export function rowOf(session: NewSession): Row {
  const entries = Object.entries(session.metadata);
  return {
    id: session.id,
    secretHash: session.secretHash,
    transport: session.transport,
    userId: encodeOptional(session.userId),
    ipAddress: encodeText(session.ipAddress),
    userAgent: encodeText(session.userAgent),
    idleTimeout: session.idleTimeout,
    absoluteTimeout: session.absoluteTimeout,
    provisionalTimeout: session.provisionalTimeout,
    keys: entries.map(([key]) => encodeText(key)),
    values: entries.map(([, value]) => JSON.stringify(value)),
    bytes: session.metadataBytes,
  };
}

export function unreadable(id: unknown, field: string): SessionError {
  return new SessionError(
    "RECORD_UNREADABLE",
    `The stored session ${String(id)} cannot be read: ${field} is not as this program writes it. It was left as it is; revoke it by its id to be rid of it.`,
  );
}

function decoded(row: Row, field: string): string {
  const stored = row[field];
  const text = typeof stored === "string" ? decodeText(stored) : undefined;
  if (text === undefined) throw unreadable(row.id, field);
  return text;
}

function metadataOf(row: Row): unknown {
  const { data_keys: keys, data_values: values } = row;
  if (!Array.isArray(keys) || !Array.isArray(values)) throw unreadable(row.id, "data");
  try {
    return JSON.parse(`{${keys.map((key, index) => `${key}:${values[index]}`).join(",")}}`);
  } catch {
    // The parser's own words would repeat the data.
    throw unreadable(row.id, "data");
  }
}
