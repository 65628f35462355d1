import type { ActivityEntry } from "@kyb/session-core/store";

/** An entry as it is stored: a list, the time first, which the scripts read. */
export function formatEntry(entry: ActivityEntry): string {
  const parts: unknown[] = [
    entry.timestamp,
    entry.action,
    entry.endpoint,
    entry.method,
    entry.statusCode,
    entry.duration,
    entry.requestSize,
    entry.responseSize,
  ];
  if (entry.metadata !== undefined) parts.push(entry.metadata);
  return JSON.stringify(parts);
}

/** Undefined: it is no entry, and is left out. */
export function readEntry(text: string): ActivityEntry | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [timestamp, action, endpoint, method, ...more] = parts;
  const [statusCode, duration, requestSize, responseSize, metadata] = more;
  const numbers = [timestamp, statusCode, duration, requestSize, responseSize];
  const texts = [action, endpoint, method];
  if (!numbers.every((value) => typeof value === "number")) return undefined;
  if (!texts.every((value) => typeof value === "string")) return undefined;
  const entry = {
    timestamp,
    action,
    endpoint,
    method,
    statusCode,
    duration,
    requestSize,
    responseSize,
  };
  return metadata === undefined ? entry : { ...entry, metadata };
}
