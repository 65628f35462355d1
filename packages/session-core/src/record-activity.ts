import type { ActivityEntry } from "./activity/entry.ts";
import { entryMetadata } from "./activity/entry-metadata.ts";
import type { Engine } from "./engine.ts";
import { cutText } from "./internal/cut-text.ts";
import { MAX_PATH, pathOf } from "./internal/path.ts";
import { lifecycle } from "./lifecycle.ts";

/** Adds a line to a live session's timeline from outside a request; false if there is no such session. */
export async function recordActivity(
  engine: Engine,
  id: string,
  entry: Partial<ActivityEntry>,
): Promise<boolean> {
  const now = engine.now();
  const record = await engine.gateway.call("find", (store, call) => store.find(id, call));
  if (record === undefined || lifecycle(record, now) !== "live") return false;
  if (!engine.config.trackUserActivity) return true;
  const complete: ActivityEntry = {
    timestamp: entry.timestamp ?? now,
    action: cutText(entry.action ?? "action", 128),
    endpoint: cutText(pathOf(entry.endpoint ?? "/"), MAX_PATH),
    method: cutText(entry.method ?? "", 16),
    statusCode: entry.statusCode ?? 0,
    duration: entry.duration ?? 0,
    requestSize: entry.requestSize ?? 0,
    responseSize: entry.responseSize ?? 0,
    ...(entry.metadata === undefined ? {} : { metadata: entryMetadata(entry.metadata) }),
  };
  engine.tracker.add({
    id,
    seenAt: now,
    access: false,
    active: false,
    confirm: false,
    request: undefined,
    entry: engine.redacted(complete),
  });
  return true;
}
