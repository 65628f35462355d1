import type {
  Commit,
  CommitResult,
  CreateLimits,
  MetadataOp,
  NewSession,
} from "@kyb/session-core/store";
import { dataField, dataFields } from "./record-fields.ts";
import { encodePart, encodeText } from "./text-code.ts";

type Argument = string | number;

/** What the script `create` takes. */
export function createArguments(session: NewSession, limits: CreateLimits): Argument[] {
  const { userId, provisionalTimeout } = session;
  return [
    encodeText(session.id),
    encodePart(session.secretHash),
    JSON.stringify([session.transport, session.userAgent]),
    session.idleTimeout,
    session.absoluteTimeout,
    provisionalTimeout ?? "-",
    encodePart(userId),
    encodePart(session.ipAddress),
    session.metadataBytes,
    limits.maxSessions ?? "-",
    limits.user?.max ?? "-",
    limits.user?.policy ?? "-",
    ...dataFields(session.metadata),
  ];
}

/** What the script `commit` takes. */
export function commitArguments(id: string, commit: Commit): Argument[] {
  const { change } = commit;
  return [
    encodeText(id),
    encodePart(commit.opId),
    commit.epoch,
    encodePart(commit.secretHash),
    commit.version ?? "-",
    commit.maxMetadataBytes,
    ...changeArguments(change),
    commit.ops.length,
    ...commit.ops.flatMap(opArguments),
  ];
}

/** Why the script `commit` refused. */
export function refusal([limit, detail]: readonly unknown[], commit: Commit): CommitResult {
  if (limit === "user") return { status: "refused", limit };
  if (limit === "metadata") return { status: "refused", limit, bytes: Number(detail) };
  const op = commit.ops.find(({ key }) => dataField(key) === detail);
  return { status: "refused", limit: "number", key: op?.key ?? "" };
}

function changeArguments(change: Commit["change"]): Argument[] {
  switch (change?.kind) {
    case "sign-in": {
      const { limit } = change;
      const keep = change.keep === true ? undefined : [...new Set(change.keep)].map(dataField);
      return [
        change.kind,
        encodePart(change.secretHash),
        encodePart(change.userId),
        change.idleTimeout,
        change.absoluteTimeout,
        limit?.max ?? "-",
        limit?.policy ?? "-",
        "-",
        ...(keep === undefined ? [-1] : [keep.length, ...keep]),
      ];
    }
    case "regenerate":
      return [change.kind, encodePart(change.secretHash), "-", "-", "-", "-", "-", "-", -1];
    case "offer": {
      const { secretHash, nonce } = change;
      const none = ["-", "-", "-", "-", "-"];
      return [change.kind, encodePart(secretHash), ...none, encodePart(nonce), -1];
    }
    case "promote":
      return [change.kind, "-", "-", "-", "-", "-", "-", "-", -1];
    case undefined:
      return ["-", "-", "-", "-", "-", "-", "-", "-", -1];
  }
}

function opArguments(op: MetadataOp): Argument[] {
  const field = dataField(op.key);
  switch (op.kind) {
    case "set":
      return [op.kind, field, JSON.stringify(op.value)];
    case "increment":
      return [op.kind, field, String(op.by)];
    case "delete":
      return [op.kind, field, "-"];
  }
}
