import type { ConnectionInfo } from "../client.ts";
import { completeResponse } from "../complete-response.ts";
import type { RegisteredData } from "../data.ts";
import type { SessionManager } from "../manager.ts";
import type { Session } from "../session.ts";
import type { Visit } from "../visit.ts";
import { connectionOf } from "../wrap.ts";
import { ApiCall, type ApiRequest } from "./api-call.ts";
import { pathBelow } from "./mount-path.ts";
import { resolveApiOptions, type SessionApiOptions } from "./options.ts";
import { failure, respond } from "./respond.ts";
import { findRoute, type Route } from "./routes.ts";

/** A visit, whatever its session holds. */
export type AnyVisit = Omit<Visit, "session"> & { readonly session: Pick<Session, "id"> };

/** What a host passes along. */
export interface ApiContext {
  /**
   * The visit that `session()` opened for this request. The API then uses it and leaves it to `session()` to
   * commit, seal and finish it, so `Set-Cookie` comes from there.
   */
  readonly visit?: AnyVisit | undefined;
  /** The part of the URL's path that the host's router has consumed. Default `""`. */
  readonly mountPath?: string | undefined;
}

/**
 * Answers the requests below the base path; resolves to undefined for others. Never rejects. `request.url` has the whole
 * path. Without `connection` it is known only whether the URL says https.
 */
export type SessionApi = (
  request: Request,
  connection?: ConnectionInfo,
  context?: ApiContext,
) => Promise<Response | undefined>;

/**
 * The management API of a manager: who is on, since when, from where, what did they do, and how to end it.
 *
 * Callers see and end their own sessions; everything else asks `authorize`. Throws `INVALID_CONFIG` for options
 * that cannot be used, a missing `authorize` above all.
 */
export function createSessionApi<Data extends object = RegisteredData>(
  manager: SessionManager<Data>,
  options: SessionApiOptions<Data>,
): SessionApi {
  const resolved = resolveApiOptions(options);
  manager.reserve(resolved.basePath);
  // Which data the sessions hold makes no difference to the API.
  const anyManager = manager as unknown as SessionManager<object>;

  async function answerOn(route: Route, apiRequest: ApiRequest): Promise<Response> {
    const { method } = apiRequest.request;
    try {
      const call = new ApiCall(anyManager, resolved, apiRequest, route);
      return respond(method, await route.answer(call));
    } catch (error) {
      return respond(method, failure(error));
    }
  }

  return async function sessionApi(request, connection = connectionOf(request), context = {}) {
    const path = pathBelow(request.url, resolved.basePath, context.mountPath ?? "");
    if (path === undefined) return undefined;
    context.visit?.markManagement();
    try {
      const route = findRoute(request.method, path);
      if (context.visit !== undefined) {
        const visit = context.visit as Visit<object>;
        return await answerOn(route, { request, connection, visit, isBehindSession: true });
      }
      const visit = await anyManager.visit(request, connection, { management: true });
      const response = await answerOn(route, {
        request,
        connection,
        visit,
        isBehindSession: false,
      });
      return await completeResponse(visit, request.method, response);
    } catch (error) {
      return respond(request.method, failure(error));
    }
  };
}
