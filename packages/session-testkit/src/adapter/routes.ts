import type { RouteContext, RouteHandler } from "./harness.ts";
import { json, text } from "./reply.ts";

/** For the suite's own round trips; they have no session and leave no trace. */
export const FENCE = "/fence";

/** Routes that every application of the suite has; the parameters are in the query. */
export const standardRoutes: Readonly<Record<string, RouteHandler>> = {
  /** Does not look at the session. */
  "/quiet": async () => text("quiet"),
  [FENCE]: async () => text("fence"),
  "/read": async ({ session }) => {
    const { id, userId = null, state, isNew, ipAddress, metadata: data } = session;
    return json({ id, userId, state, isNew, ipAddress, data });
  },
  /** Sets each parameter. */
  "/set": async (context) => {
    for (const [key, value] of parameters(context)) context.session.set(key, value);
    return text("stored");
  },
  "/sign-in": async (context) => {
    await context.session.signIn(parameters(context).get("user") ?? "ann");
    return text("signed in");
  },
  "/sign-out": async ({ session }) => {
    await session.signOut();
    return text("signed out");
  },
  "/regenerate": async ({ session }) => {
    await session.regenerate();
    return text("regenerated");
  },
};

/** The query of a request. */
export function parameters({ url }: RouteContext): URLSearchParams {
  return new URL(url, "http://localhost").searchParams;
}
