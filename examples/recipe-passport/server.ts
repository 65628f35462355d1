import { SessionManager, session } from "@kyb/session-express";
import express from "express";
import passport from "passport";
import { Strategy } from "passport-local";
import { hashPassword, isPassword } from "./passwords.ts";

declare global {
  namespace Express {
    interface User {
      readonly id: string;
    }
  }
}

const users = new Map([["alice", await hashPassword("correct horse battery staple")]]);
// An unknown user takes as long as a wrong password, so that nobody learns who has an account.
const nobody = await hashPassword("");

passport.use(
  new Strategy((username, password, done) => {
    const user = users.get(username);
    isPassword(password, user ?? nobody).then(
      (matches) => done(null, user !== undefined && matches ? { id: username } : false),
      done,
    );
  }),
);

const sessions = new SessionManager();
const app = express();
app.use(session(sessions));

app.get("/", (req, res) => {
  res.type("text").send(`Signed in as ${req.session.userId ?? "nobody"}\n`);
});

app.post(
  "/sign-in",
  express.urlencoded({ extended: false }),
  // Passport checks the password and keeps its hands off the session: no passport.session(), no serializeUser.
  passport.authenticate("local", { session: false }),
  async (req, res) => {
    if (req.user !== undefined) await req.session.signIn(req.user.id);
    res.redirect(303, "/");
  },
);

app.post("/sign-out", async (req, res) => {
  await req.session.signOut();
  res.redirect(303, "/");
});

const server = app.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log("Listening on", server.address());
});
