import { SessionManager } from "@kyb/session-core";
import { createSessionApi } from "@kyb/session-core/api";

const sessions = new SessionManager<{ visits: number }>();
const api = createSessionApi(sessions, { authorize: (asked) => asked.session?.userId === "admin" });

const site = sessions.wrap(async (request, session) => {
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === "/sign-in") {
    await session.signIn("alice"); // once you know who it is
    return Response.redirect(new URL("/", request.url), 303);
  }
  if (request.method === "POST" && pathname === "/sign-out") {
    await session.signOut();
    return Response.redirect(new URL("/", request.url), 303);
  }
  if (request.method !== "GET" || pathname !== "/") return new Response(null, { status: 404 });
  session.increment("visits");
  return new Response(`Visit ${session.get("visits")} of ${session.userId ?? "a stranger"}\n`);
});

/** `bun server.ts`, `deno serve server.ts` and Workers call this. */
export default {
  fetch: async (request: Request): Promise<Response> => (await api(request)) ?? site(request),
};
