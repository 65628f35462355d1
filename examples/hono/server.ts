import { serve } from "@hono/node-server";
import { allowLoopback, SessionManager, session, sessionApi } from "@kyb/session-hono";
import { Hono } from "hono";

const sessions = new SessionManager<{ visits: number }>();

const app = new Hono()
  .use(session(sessions))
  .use(sessionApi(sessions, { authorize: allowLoopback }))
  .get("/", (c) => {
    const { session } = c.var;
    session.increment("visits");
    return c.text(`Visit ${session.get("visits")} of ${session.userId ?? "a stranger"}\n`);
  })
  .post("/sign-in", async (c) => {
    await c.var.session.signIn("alice"); // once you know who it is
    return c.redirect("/", 303);
  })
  .post("/sign-out", async (c) => {
    await c.var.session.signOut();
    return c.redirect("/", 303);
  });

const port = Number(process.env.PORT ?? 8080);
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (at) => console.log("Listening on", at));
