import {
  deadline,
  EMPTY_METADATA,
  type EndReason,
  isProvisional,
  lifecycle,
  parseRecord,
  RECORD_VERSION,
  SessionError,
  type SessionRecord,
  type SessionState,
} from "@kyb/session-core/store";
import { decodeText, encodeText } from "./text.ts";

/** What the store itself has to know of a session, beside what it keeps for others. */
export interface Row {
  /** Undefined until it is stored. */
  readonly key: number | undefined;
  readonly id: string;
  readonly record: number;
  readonly epoch: number;
  readonly user_id: string | null;
  readonly created_at: number;
  readonly last_access: number;
  readonly last_activity: number;
  readonly request_count: number;
  readonly confirmed: number;
  readonly idle_timeout: number;
  readonly absolute_end: number;
  readonly provisional_end: number | null;
  /** 1: anonymous and provisional. */
  readonly provisional: number;
  readonly deadline: number;
  readonly ended_at: number | null;
  readonly end_reason: EndReason | null;
  /** Number of the latest entry of the timeline; 0: there never was one. */
  readonly last_entry: number;
}

/** A session as it is stored. */
export interface WholeRow extends Row {
  readonly address: string;
  readonly op_ids: string;
  readonly state: string;
  readonly data: string;
}

/** What a record is read from. */
export type RecordRow = Omit<
  WholeRow,
  "key" | "provisional" | "deadline" | "last_entry" | "op_ids"
>;

/** The columns of a {@link RecordRow}: reading one costs the more the more there are. */
export const RECORD_COLUMNS =
  "id, record, epoch, user_id, created_at, last_access, last_activity, request_count, confirmed, idle_timeout, absolute_end, provisional_end, ended_at, end_reason, address, state, data";
/** The columns of a {@link Row}. */
export const COLUMNS =
  "key, id, record, epoch, user_id, created_at, last_access, last_activity, request_count, confirmed, idle_timeout, absolute_end, provisional_end, provisional, deadline, ended_at, end_reason, last_entry";
/** The columns of a {@link WholeRow}. */
export const WHOLE_COLUMNS: string = `${COLUMNS}, address, op_ids, state, data`;

/** The part of the state that no column of its own holds. */
type Rest = Pick<
  SessionState,
  | "secretHash"
  | "transport"
  | "version"
  | "userAgent"
  | "secretIssuedAt"
  | "authenticatedAt"
  | "metadataBytes"
  | "retired"
  | "pending"
>;

/** A record as it is to be stored; `old` is the row that it replaces. */
export function rowOf(record: SessionRecord, opIds: readonly string[], old?: Row): WholeRow {
  const { state } = record;
  const { secretHash, transport, version, userAgent, secretIssuedAt, authenticatedAt } = state;
  const { metadataBytes, retired, pending } = state;
  const rest: Rest = {
    secretHash,
    transport,
    version,
    userAgent,
    secretIssuedAt,
    authenticatedAt,
    metadataBytes,
    retired,
    pending,
  };
  return {
    key: old?.key,
    id: state.id,
    record: RECORD_VERSION,
    epoch: state.epoch,
    user_id: state.userId === undefined ? null : encodeText(state.userId),
    address: encodeText(state.ipAddress),
    created_at: state.createdAt,
    last_access: record.lastAccessTime,
    last_activity: record.lastActivityTime,
    request_count: record.requestCount,
    confirmed: record.confirmed ? 1 : 0,
    idle_timeout: state.idleTimeout,
    absolute_end: state.absoluteEnd,
    provisional_end: state.provisionalEnd ?? null,
    provisional: state.userId === undefined && isProvisional(record) ? 1 : 0,
    deadline: deadline(record),
    ended_at: record.endedAt ?? null,
    end_reason: record.endReason ?? null,
    last_entry: old?.last_entry ?? 0,
    op_ids: JSON.stringify(opIds),
    state: JSON.stringify(rest),
    data: JSON.stringify(state.metadata),
  };
}

/** The key of a row that came from the table. */
export function keyOf(row: Pick<Row, "key">): number {
  return row.key ?? -1;
}

/** Throws `RECORD_UNREADABLE` for a row that is damaged, foreign or of another version. */
export function recordOf(row: RecordRow): SessionRecord {
  return parseRecord({
    version: row.record,
    state: {
      ...(parsed(row, "state", row.state) as Rest),
      id: row.id,
      epoch: row.epoch,
      userId: row.user_id === null ? null : readable(row, "userId", () => decode(row.user_id)),
      ipAddress: readable(row, "ipAddress", () => decode(row.address)),
      createdAt: row.created_at,
      idleTimeout: row.idle_timeout,
      absoluteEnd: row.absolute_end,
      provisionalEnd: row.provisional_end,
      metadata: parsed(row, "data", row.data),
    },
    lastAccessTime: row.last_access,
    lastActivityTime: row.last_activity,
    requestCount: row.request_count,
    confirmed: row.confirmed === 1,
    endedAt: row.ended_at,
    endReason: row.end_reason,
  });
}

/** The ids of the latest commits, newest first. */
export function opIdsOf(row: WholeRow): readonly string[] {
  const ids: unknown = parsed(row, "op_ids", row.op_ids);
  if (Array.isArray(ids)) return ids;
  throw unreadable(row, "op_ids", undefined);
}

/** The session's user as events and metrics name it; of a row that cannot be read: as it is stored. */
export function userOf(row: Row): string | undefined {
  if (row.user_id === null) return undefined;
  try {
    return decodeText(row.user_id);
  } catch {
    return String(row.user_id);
  }
}

/** Whether a row is of this program's version and its numbers are numbers. Others are only ended, never judged by age. */
export function isSound(row: Row): boolean {
  return row.record === RECORD_VERSION && NUMBERS.every((name) => Number.isFinite(row[name]));
}

const NUMBERS = [
  "created_at",
  "last_access",
  "last_activity",
  "request_count",
  "idle_timeout",
  "absolute_end",
  "deadline",
  "last_entry",
] as const;

/** Why a live session is over by now, by the rule that all stores share; undefined: it is not, or has been ended. */
export function dueReason(row: Row, now: number): EndReason | undefined {
  // The deadline that is stored is the rule's: only those that have reached it have to be looked at.
  if (now < row.deadline || !isSound(row)) return undefined;
  const stage = lifecycle(judgedRecord(row), now);
  return stage === "live" || stage === "ended" ? undefined : stage;
}

/** What the deadline of a session depends on. */
type Facts = Pick<
  Row,
  | "user_id"
  | "idle_timeout"
  | "absolute_end"
  | "provisional_end"
  | "last_activity"
  | "confirmed"
  | "ended_at"
>;

/** What follows from a session's times and its confirmation. */
export function dependentColumns(facts: Facts): Pick<Row, "provisional" | "deadline"> {
  const record = judgedRecord(facts);
  const provisional = facts.user_id === null && isProvisional(record) ? 1 : 0;
  return { provisional, deadline: deadline(record) };
}

/** A record with all that its deadline depends on, and nothing else. */
function judgedRecord(facts: Facts): SessionRecord {
  return {
    state: {
      ...BLANK,
      idleTimeout: facts.idle_timeout,
      absoluteEnd: facts.absolute_end,
      provisionalEnd: facts.provisional_end ?? undefined,
    },
    lastAccessTime: 0,
    lastActivityTime: facts.last_activity,
    requestCount: 0,
    confirmed: facts.confirmed === 1,
    endedAt: facts.ended_at ?? undefined,
    endReason: undefined,
  };
}

const BLANK: SessionState = {
  id: "",
  secretHash: "",
  transport: "cookie",
  epoch: 0,
  version: 0,
  userId: undefined,
  ipAddress: "",
  userAgent: "",
  createdAt: 0,
  secretIssuedAt: 0,
  authenticatedAt: undefined,
  idleTimeout: 0,
  absoluteEnd: 0,
  provisionalEnd: undefined,
  metadata: EMPTY_METADATA,
  metadataBytes: 0,
  retired: [],
  pending: undefined,
};

function parsed(row: Pick<Row, "id">, field: string, text: string): unknown {
  return readable(row, field, () => JSON.parse(text));
}

/** A column that holds another kind of value than text is passed on, for the one who checks to refuse it. */
function decode(stored: unknown): unknown {
  return typeof stored === "string" ? decodeText(stored) : stored;
}

function readable(row: Pick<Row, "id">, field: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (cause) {
    throw unreadable(row, field, cause);
  }
}

function unreadable(row: Pick<Row, "id">, field: string, cause: unknown): SessionError {
  return new SessionError(
    "RECORD_UNREADABLE",
    `The stored session ${row.id} cannot be read: ${field} is not what this program writes. It was left as it is; revoke it by its id to be rid of it.`,
    { cause },
  );
}
