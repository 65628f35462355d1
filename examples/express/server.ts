import { allowLoopback, SessionManager, session, sessionApi } from "@kyb/session-express";
import express from "express";

declare module "@kyb/session-express" {
  interface Register {
    data: { visits: number };
  }
}

const sessions = new SessionManager();
const app = express();
app.use(session(sessions));
app.use(sessionApi(sessions, { authorize: allowLoopback }));

app.get("/", (req, res) => {
  req.session.increment("visits");
  res.send(`Visit ${req.session.get("visits")} of ${req.session.userId ?? "a stranger"}\n`);
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
