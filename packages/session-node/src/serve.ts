import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectionInfo } from "@kyb/session-core";
import type { ApiContext } from "@kyb/session-core/api";
import type { FetchHandler } from "./fetch-handler.ts";
import { sendResponse } from "./send-response.ts";
import { webRequest } from "./web-request.ts";

/** What only the host can say about a request that a fetch handler is to answer. */
export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** Path and query as the client sent them, whatever routers have cut off since. */
  url: string;
  connection: ConnectionInfo;
  /** What a body parser in front has made of the body; looked at only if the body has been read. */
  body: unknown;
  context: ApiContext;
}

/**
 * For adapters of hosts that are built on `node:http`: lets a fetch handler answer. False: it is not for this handler,
 * nothing was read and nothing was written. Rejects with what the handler threw, as long as nothing was sent.
 */
export async function serve(handler: FetchHandler, exchange: Exchange): Promise<boolean> {
  const { req, res, url, connection, body, context } = exchange;
  const left = new AbortController();
  const leave = (): void => {
    if (!res.writableFinished) left.abort();
  };
  res.once("close", leave);
  const { encrypted = false } = connection;
  const request = webRequest(req, { url, encrypted, body, signal: left.signal });
  const response = request === undefined ? undefined : await handler(request, connection, context);
  if (response === undefined) {
    res.off("close", leave);
    return false;
  }
  await sendResponse(response, req, res);
  return true;
}
