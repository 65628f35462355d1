import type { MetadataOp } from "./commit.ts";
import { describe } from "./duration.ts";
import type { Engine } from "./engine.ts";
import { SessionError } from "./errors.ts";
import { checkKey, type Metadata } from "./metadata.ts";
import type { SessionRecord } from "./record.ts";
import { notANumber, tooLarge } from "./refusals.ts";

const MAX_PATCH_ATTEMPTS = 100;

/**
 * Sets some keys of a live session's data without a request; undefined if there is no such session. Where another writer
 * or a sign-in came between, it starts again from what is there then. Throws `UPDATE_CONFLICT` when that never ends.
 */
export async function patchSession(
  engine: Engine,
  id: string,
  metadata: object,
): Promise<SessionRecord | undefined> {
  const { gateway, config } = engine;
  for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
    const record = await gateway.call("find", (store, call) => store.find(id, call));
    if (record === undefined) return undefined;
    const commit = {
      opId: engine.opId(),
      epoch: record.state.epoch,
      secretHash: undefined,
      version: undefined,
      ops: setOps(engine, metadata, record.state.metadata),
      maxMetadataBytes: config.maxMetadataBytes,
      change: undefined,
    };
    const result = await gateway.call("commit", (store, call) => store.commit(id, commit, call));
    if (result.status === "applied") return result.record;
    if (result.status === "gone") return undefined;
    if (result.status !== "refused") continue;
    throw result.limit === "metadata"
      ? tooLarge(result.bytes, config.maxMetadataBytes)
      : notANumber(id);
  }
  throw new SessionError("UPDATE_CONFLICT", "Others kept changing the session; the patch gave up.");
}

/** The operations that set these keys, each value checked in the data that is there. */
export function setOps(engine: Engine, metadata: object, current: Metadata): MetadataOp[] {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new SessionError(
      "INVALID_ARGUMENT",
      `metadata must be an object, got ${describe(metadata)}.`,
    );
  }
  return Object.entries(metadata).map(([key, value]) => {
    checkKey(key);
    return engine.checked(key, value, current);
  });
}
