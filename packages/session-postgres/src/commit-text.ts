import type { Commit, MetadataOp, SecretChange } from "@kyb/session-core/store";
import { encodeText, idText } from "./stored-text.ts";

/** A commit as the function `commit` takes it. Keys and values of the data are JSON texts. */
export function commitText(id: string, commit: Commit, metrics: boolean): string {
  const { opId, epoch, secretHash, version, ops, maxMetadataBytes, change } = commit;
  return JSON.stringify({
    id: idText(id),
    opId: encodeText(opId),
    epoch,
    secretHash,
    version,
    // JSON knows no Infinity: no limit.
    maxBytes: maxMetadataBytes,
    ops: ops.map(opLine),
    change: change && changeLine(change),
    metrics,
  });
}

function opLine(op: MetadataOp): readonly unknown[] {
  const key = encodeText(op.key);
  switch (op.kind) {
    case "set":
      return [op.kind, key, JSON.stringify(op.value), op.bytes];
    case "increment":
      return [op.kind, key, op.by];
    case "delete":
      return [op.kind, key];
  }
}

function changeLine(change: SecretChange): unknown {
  if (change.kind !== "sign-in") return change;
  const { kind, secretHash, userId, keep, idleTimeout, absoluteTimeout, limit } = change;
  return {
    kind,
    secretHash,
    userId: encodeText(userId),
    keep: keep === true ? true : keep.map(encodeText),
    idleTimeout,
    absoluteTimeout,
    userMax: limit?.max,
    policy: limit?.policy,
  };
}
