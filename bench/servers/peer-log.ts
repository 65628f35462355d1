/** One line of the timeline that peers keep inside the session, because they have no other place for it. */
export interface LogLine {
  readonly timestamp: number;
  readonly action: string;
  readonly endpoint: string;
  readonly method: string;
  readonly statusCode: number;
  readonly duration: number;
  readonly requestSize: number;
  readonly responseSize: number;
}

/** Lines that peers keep. */
export const PEER_LOG_LIMIT = 20;

/** Adds a line and drops the oldest above the limit. */
export function logged(
  log: readonly LogLine[] | undefined,
  method: string,
  path: string,
): LogLine[] {
  const lines = log === undefined ? [] : log.slice(-(PEER_LOG_LIMIT - 1));
  lines.push({
    timestamp: Date.now(),
    action: "request",
    endpoint: path,
    method,
    statusCode: 200,
    duration: 0.4,
    requestSize: 0,
    responseSize: 24,
  });
  return lines;
}
