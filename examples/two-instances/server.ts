import { allowLoopback, SessionManager, session, sessionApi } from "@kyb/session-express";
import { redisStore } from "@kyb/session-redis";
import express from "express";
import { createClient } from "redis";

declare module "@kyb/session-express" {
  interface Register {
    data: { visits: number };
  }
}

const client = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
client.on("error", (error: Error) => console.error("redis:", error.message));
await client.connect();

const sessions = new SessionManager({ store: redisStore({ client }) });
sessions.on("store-error", ({ operation, error }) => console.error(operation, error.message));

const app = express();
app.use(session(sessions));
app.use(sessionApi(sessions, { authorize: allowLoopback }));

app.get("/", (req, res) => {
  req.session.increment("visits");
  const visitor = req.session.userId ?? "a stranger";
  res.send(`Visit ${req.session.get("visits")} of ${visitor}, instance ${process.pid}\n`);
});
app.post("/sign-in", async (req, res) => {
  await req.session.signIn("alice"); // once you know who it is
  res.redirect(303, "/");
});
app.post("/sign-out", async (req, res) => {
  await req.session.signOut();
  res.redirect(303, "/");
});

const port = Number(process.env.PORT ?? 8080);
const server = app.listen(port, "127.0.0.1", () => console.log(server.address()));

/** What is still to be written is written before the process goes: at most `flushInterval` of tracking. */
process.once("SIGTERM", () => {
  server.close(async () => {
    await sessions.close();
    await client.close();
  });
  server.closeIdleConnections();
});
