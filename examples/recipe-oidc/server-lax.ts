import { SessionManager, session } from "@kyb/session-express";
import express from "express";
import { begin, discover, type Flow, finish } from "./oidc.ts";

declare module "@kyb/session-express" {
  interface Register {
    data: { oidc: Flow };
  }
}

// With `sameSite: "lax"` the session cookie comes along when the provider sends the browser back, so the flow can wait
// in the session, and so can everything else. The price: other sites' links and GET forms carry the session too.
const { PORT = "8080", PUBLIC_URL = `http://localhost:${PORT}` } = process.env;
const callback = new URL("/callback", PUBLIC_URL);

const provider = await discover(process.env);
const sessions = new SessionManager({
  publicUrl: PUBLIC_URL,
  cookie: { sameSite: "lax" },
});
const app = express();
app.use(session(sessions));

app.get("/", (req, res) => {
  res.type("text").send(`Signed in as ${req.session.userId ?? "nobody"}\n`);
});

app.get("/sign-in", async (req, res) => {
  const { flow, url } = await begin(provider, callback);
  req.session.set("oidc", flow);
  res.redirect(303, url.href);
});

app.get("/callback", async (req, res) => {
  const flow = req.session.get("oidc");
  // One answer, one try.
  req.session.delete("oidc");
  const user = await finish(provider, new URL(req.url, PUBLIC_URL), flow);
  await req.session.signIn(user);
  res.redirect(303, "/");
});

app.listen(Number(PORT), "127.0.0.1", () => console.log(`Listening on port: ${PORT}`));
