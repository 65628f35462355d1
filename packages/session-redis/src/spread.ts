import type { SessionRecord } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { LeaseLock } from "./lease-lock.ts";
import { PeakWatch } from "./peak-watch.ts";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import { SpreadIndex } from "./spread-index.ts";
import { SpreadLists } from "./spread-lists.ts";
import { SpreadWrites } from "./spread-writes.ts";

/** What the store needs beside its scripts where sessions are spread over several shards. */
export interface Spread {
  readonly index: SpreadIndex;
  readonly writes: SpreadWrites;
  readonly lists: SpreadLists;
  readonly peak: PeakWatch;
}

export function spreadOver(
  connection: RedisConnection,
  shards: Shards,
  runner: ScriptRunner,
  find: (id: string) => Promise<SessionRecord | undefined>,
): Spread {
  const index = new SpreadIndex(connection, shards, runner);
  const writes = new SpreadWrites(shards, runner, index, new LeaseLock(connection, runner));
  const lists = new SpreadLists(shards, runner, index, find);
  return { index, writes, lists, peak: new PeakWatch(shards, runner) };
}
