import type { ApiCall, RouteScope } from "./api-call.ts";
import { ApiError } from "./api-error.ts";
import { createSession } from "./create-session-route.ts";
import { endSessions } from "./end-sessions.ts";
import { showMetrics, showOpenApi, showStatus } from "./observation.ts";
import { currentSession, listSessions, sessionActivity, sessionDetail } from "./read-sessions.ts";
import type { Answer } from "./respond.ts";

/** One thing that the management API does. */
export interface Route extends RouteScope {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the base path; `/` is the collection. */
  readonly path: string;
  readonly answer: (call: ApiCall) => Promise<Answer>;
}

const RANGE = ["limit", "offset", "cursor"] as const;

/** All routes. Whatever is not here does not exist: 404 for a path, 405 for a method. */
export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/",
    action: "list",
    parameters: ["user_id", "status", "q", "sort", ...RANGE],
    answer: listSessions,
  },
  { method: "POST", path: "/", action: "create", parameters: [], answer: createSession },
  {
    method: "DELETE",
    path: "/",
    action: "end",
    parameters: ["session_id", "user_id", "except"],
    answer: endSessions,
  },
  { method: "GET", path: "/current", action: "detail", parameters: [], answer: currentSession },
  {
    method: "GET",
    path: "/detail",
    action: "detail",
    parameters: ["session_id"],
    answer: sessionDetail,
  },
  { method: "GET", path: "/metrics", action: "metrics", parameters: [], answer: showMetrics },
  {
    method: "GET",
    path: "/activity",
    action: "activity",
    parameters: ["session_id", ...RANGE],
    answer: sessionActivity,
  },
  { method: "GET", path: "/status", action: "status", parameters: [], answer: showStatus },
  { method: "GET", path: "/openapi.json", action: "public", parameters: [], answer: showOpenApi },
];

/** The route for a request. `HEAD` is answered as `GET` is. Throws `NOT_FOUND` and `METHOD_NOT_ALLOWED`. */
export function findRoute(method: string, path: string): Route {
  const routes = ROUTES.filter((route) => route.path === path);
  if (routes.length === 0) {
    throw new ApiError("NOT_FOUND", "The management API has no such path.");
  }
  const wanted = method === "HEAD" ? "GET" : method;
  const route = routes.find((candidate) => candidate.method === wanted);
  if (route !== undefined) return route;
  const allowed = routes.flatMap((each) => (each.method === "GET" ? ["GET", "HEAD"] : each.method));
  const allow = allowed.join(", ");
  throw new ApiError("METHOD_NOT_ALLOWED", `This path answers ${allow}.`, {
    headers: { Allow: allow },
  });
}
