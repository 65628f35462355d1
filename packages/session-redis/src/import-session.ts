import type { ImportedSession, ImportStatus, StoreCall } from "@kyb/session-core/store";
import { formatEntry } from "./activity-entry.ts";
import { dataFields, recordParts } from "./record-fields.ts";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import type { SpreadIndex, Written } from "./spread-index.ts";
import { encodeText } from "./text-code.ts";

/** Makes one session exist here as it is elsewhere. `index`: where sessions are spread over several shards. */
export async function importSession(
  { record, entries, over }: ImportedSession,
  activityLimit: number,
  shards: Shards,
  runner: ScriptRunner,
  index: SpreadIndex | undefined,
  call: StoreCall,
): Promise<ImportStatus> {
  if (record.endedAt !== undefined) return "gone";
  const { id, metadata, userId, createdAt } = record.state;
  const shard = shards.ofSession(id);
  const kept = entries.slice(0, activityLimit).map(formatEntry).reverse();
  const fields = dataFields(metadata);
  const parts = recordParts(record, kept.length);
  const args = [encodeText(id), over ?? "-", ...parts, fields.length / 2, ...fields, ...kept];
  const write = async (latest?: number): Promise<Written> => {
    const options = latest === undefined ? { call } : { latest, call };
    const reply = await runner.run("import", shards.base(shard), args, options);
    return { reply, createdAt: reply.status === "imported" ? createdAt : undefined };
  };
  const { status } =
    index === undefined || userId === undefined
      ? (await write()).reply
      : await index.enter(userId, id, call, write);
  // The user that the session had before is another one's index.
  if (over !== undefined) await index?.follow([shard]);
  return status === "imported" || status === "gone" ? status : "exists";
}
