import { allowLoopback, SessionManager, session, sessionApi } from "@kyb/session-koa";
import Koa from "koa";

const sessions = new SessionManager<{ visits: number }>();

const app = new Koa()
  .use(session(sessions))
  .use(sessionApi(sessions, { authorize: allowLoopback }))
  .use(async (ctx) => {
    const { session, method, path } = ctx;
    if (method === "GET" && path === "/") {
      session.increment("visits");
      ctx.body = `Visit ${session.get("visits")} of ${session.userId ?? "a stranger"}\n`;
    } else if (method === "POST" && path === "/sign-in") {
      await session.signIn("alice"); // once you know who it is
      ctx.redirect("/");
    } else if (method === "POST" && path === "/sign-out") {
      await session.signOut();
      ctx.redirect("/");
    }
  });

const server = app.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log("Listening on", server.address());
});
