import type { SessionRecord, StoreCall, StorePage, StoreQuery } from "@kyb/session-core/store";
import { SessionError } from "@kyb/session-core/store";
import { formatListCursor, parseListCursor } from "./cursor.ts";
import { listArguments, MAX_MISSES } from "./list-arguments.ts";
import { readRecord } from "./record-fields.ts";
import { textsOf } from "./reply.ts";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import { decodeText } from "./text-code.ts";

/** One page of a list where all sessions lie in one shard: one step. */
export async function listSessions(
  query: StoreQuery,
  shards: Shards,
  runner: ScriptRunner,
  call: StoreCall,
): Promise<StorePage> {
  const start = query.cursor === undefined ? undefined : parseListCursor(query, query.cursor);
  const { search, limit } = query;
  const skipped = start?.skip ?? query.offset;
  const wish = { want: limit + 1, skip: skipped, full: true, misses: MAX_MISSES };
  const args = listArguments(query, start, wish);
  const { values } = await runner.run("list", shards.base(0), args, { call });
  const [page, total, stop, skip] = values;
  const rows = Array.isArray(page) ? page : [];
  const shown = rows.slice(0, limit);
  const [stopId, stopTime] = textsOf(stop);
  let nextCursor: string | undefined;
  if (rows.length > limit) {
    const [id, time] = shown.at(-1);
    nextCursor = formatListCursor(query, { time: Number(time), id: decodeText(id), skip: 0 });
  } else if (stopId !== undefined) {
    const place = { time: Number(stopTime), id: decodeText(stopId), skip: Number(skip) };
    nextCursor = formatListCursor(query, place);
  }
  return {
    records: shown.flatMap(([id, , fields]) => readable(decodeText(id), textsOf(fields)) ?? []),
    nextCursor,
    total: search === undefined ? Number(total) : undefined,
  };
}

/** A record that cannot be read is left out: it must not keep the others from being seen. */
function readable(id: string, fields: readonly string[]): SessionRecord | undefined {
  try {
    return readRecord(id, fields);
  } catch (error) {
    if (error instanceof SessionError) return undefined;
    throw error;
  }
}
