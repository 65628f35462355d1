import type { ConnectionInfo } from "./client.ts";
import { completeResponse } from "./complete-response.ts";
import { isSessionError } from "./errors.ts";
import type { VisitOptions } from "./open.ts";
import type { Session } from "./session.ts";
import type { Visit } from "./visit.ts";

/** A handler with a session, for hosts that speak `Request` and `Response`. */
export type SessionHandler<Data extends object, Rest extends unknown[]> = (
  request: Request,
  session: Session<Data>,
  ...rest: Rest
) => Response | Promise<Response>;

/** How a wrapped handler learns what only the host knows. */
export interface WrapOptions<Rest extends unknown[]> {
  /** Address of the peer and whether the connection uses TLS. Default: no address, TLS as the URL says. */
  connection?: (request: Request, ...rest: Rest) => ConnectionInfo;
}

/** See `SessionManager.wrap`. */
export function wrapHandler<Data extends object, Rest extends unknown[]>(
  open: (
    request: Request,
    connection: ConnectionInfo,
    options: VisitOptions,
  ) => Promise<Visit<Data>>,
  handler: SessionHandler<Data, Rest>,
  options: WrapOptions<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async function session(request, ...rest) {
    const connection = options.connection?.(request, ...rest) ?? connectionOf(request);
    let visit: Visit<Data>;
    try {
      visit = await open(request, connection, { signal: request.signal });
    } catch (error) {
      return answerOf(error);
    }
    const { method } = request;
    try {
      return await completeResponse(visit, method, await handler(request, visit.session, ...rest));
    } catch (error) {
      return await completeFailure(visit, method, error);
    }
  };
}

/** Without a proxy, the URL is what the client connected to. */
export function connectionOf(request: { readonly url: string }): ConnectionInfo {
  return { encrypted: request.url.startsWith("https:") };
}

/** Where nothing else stands between the handler and the client, our own errors are answered here. */
function answerOf(error: unknown): Response {
  if (isSessionError(error)) return error.getResponse();
  throw error;
}

/**
 * A handler that fails keeps what it changed until then, as on every host, and an answer of ours carries the cookie:
 * else the secret of a session that was made or signed in before the failure would be lost.
 */
async function completeFailure<Data extends object>(
  visit: Visit<Data>,
  method: string,
  error: unknown,
): Promise<Response> {
  let failure = error;
  try {
    await visit.commit();
  } catch (lost) {
    // `lost-write` has told what was lost; the application's own error is the one to see.
    if (isSessionError(error)) failure = lost;
  }
  if (isSessionError(failure)) return completeResponse(visit, method, failure.getResponse());
  visit.finish({ status: 500, responseSize: 0 });
  throw failure;
}
