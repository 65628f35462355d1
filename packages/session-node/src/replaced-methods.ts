import type { ServerResponse } from "node:http";

/** What stands in for a response's own methods. They take what Node's take, in all its forms. */
export interface ResponseMethods {
  write(chunk: unknown, encoding: unknown, callback: unknown): boolean;
  end(chunk: unknown, encoding: unknown, callback: unknown): ServerResponse;
  writeHead(status: number, reason: unknown, headers: unknown): ServerResponse;
  flushHeaders(): void;
  /** Is called when the response has closed. */
  close(): void;
}

const METHODS: unique symbol = Symbol("methods");

interface Replaced extends ServerResponse {
  [METHODS]?: ResponseMethods;
}

/**
 * Replaces the methods of one response, and listens to its end.
 *
 * It gets the same functions as every other, which find their way by `this`. A function of its own that hangs on a
 * response makes V8 keep what it refers to until the next full collection (measured under load: pauses of 50 ms
 * instead of 0.3).
 */
export function replaceMethods(res: Replaced, methods: ResponseMethods): void {
  if (res[METHODS] === undefined) {
    res[METHODS] = methods;
    res.write = write;
    res.end = end;
    res.writeHead = writeHead;
    res.flushHeaders = flushHeaders;
    res.on("close", close);
    return;
  }
  // The second time, for another manager's session: the methods below are the shared ones, and find the first's.
  const own = { [METHODS]: methods } as Replaced;
  res.write = write.bind(own);
  res.end = end.bind(own) as ServerResponse["end"];
  res.writeHead = writeHead.bind(own) as ServerResponse["writeHead"];
  res.flushHeaders = flushHeaders.bind(own);
  res.on("close", () => methods.close());
}

const write = function (this: Replaced, ...[chunk, encoding, callback]: unknown[]) {
  return this[METHODS]?.write(chunk, encoding, callback);
} as ServerResponse["write"];

const end = function (this: Replaced, ...[chunk, encoding, callback]: unknown[]) {
  return this[METHODS]?.end(chunk, encoding, callback);
} as ServerResponse["end"];

const writeHead = function (this: Replaced, ...[status, reason, headers]: unknown[]) {
  return this[METHODS]?.writeHead(status as number, reason, headers);
} as ServerResponse["writeHead"];

const flushHeaders = function (this: Replaced) {
  this[METHODS]?.flushHeaders();
} as ServerResponse["flushHeaders"];

const close = function (this: Replaced) {
  this[METHODS]?.close();
};
