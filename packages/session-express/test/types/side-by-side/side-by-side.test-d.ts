/// <reference types="express-session" />
import {
  type Session,
  SessionManager,
  session,
  sessionApi,
  sessionOf,
} from "@kyb/session-express/pure";
import express from "express";

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Condition extends true>(): void => undefined;

declare module "express-session" {
  interface SessionData {
    old: string;
  }
}

const manager = new SessionManager<{ theme: string }>();
const app = express();
app.use(session(manager), sessionApi(manager, { authorize: () => true }));
app.get("/", (req) => {
  // The property keeps the type that @types/express-session gives it.
  holds<Same<typeof req.session.old, string | undefined>>();
  req.session.cookie.maxAge = 1;
  const current = sessionOf(manager, req);
  holds<Same<typeof current, Session<{ theme: string }>>>();
  current.set("theme", "dark");
  // @ts-expect-error not one of the keys
  current.set("old", "x");
});
