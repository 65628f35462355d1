import { SessionManager, session } from "@kyb/session-express";
import { parseCookie } from "cookie";
import express from "express";
import { begin, discover, type Flow, finish } from "./oidc.ts";

// The session cookie stays SameSite=Strict, so it does not come along when the provider sends the browser back.
// What the flow needs then is in a cookie of its own: lax, for the callback alone, for ten minutes.
const { PORT = "8080", PUBLIC_URL = `http://localhost:${PORT}` } = process.env;
const callback = new URL("/callback", PUBLIC_URL);
const flowCookie = {
  path: callback.pathname,
  httpOnly: true,
  sameSite: "lax",
  secure: callback.protocol === "https:",
} as const;

const provider = await discover(process.env);
const sessions = new SessionManager({ publicUrl: PUBLIC_URL });
const app = express();
app.use(session(sessions));

app.get("/", (req, res) => {
  res.type("text").send(`Signed in as ${req.session.userId ?? "nobody"}\n`);
});

app.get("/sign-in", async (_req, res) => {
  const { flow, url } = await begin(provider, callback);
  const value = [flow.state, flow.nonce, flow.verifier].join(".");
  res.cookie("oidc", value, { ...flowCookie, maxAge: 600_000 });
  res.redirect(303, url.href);
});

app.get("/callback", async (req, res) => {
  res.clearCookie("oidc", flowCookie);
  const user = await finish(provider, new URL(req.url, PUBLIC_URL), flowOf(req.headers.cookie));
  // No session came along and none was made for this visit; signIn makes one and always sets its cookie.
  await req.session.signIn(user);
  // Not a redirect: browsers would count it as the provider's and keep the strict cookie back once more. A page
  // that goes on by itself is ours.
  res.send('<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">Go on</a>');
});

app.listen(Number(PORT), "127.0.0.1", () => console.log(`Listening on port: ${PORT}`));

function flowOf(header = ""): Flow | undefined {
  const [state, nonce, verifier] = parseCookie(header).oidc?.split(".") ?? [];
  return state && nonce && verifier ? { state, nonce, verifier } : undefined;
}
