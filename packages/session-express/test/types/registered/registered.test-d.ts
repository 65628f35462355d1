import { SessionManager, session } from "@kyb/session-express";
import express from "express";

declare module "@kyb/session-express" {
  interface Register {
    data: { cart: string[]; theme?: "dark" | "light" };
  }
}

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Condition extends true>(): void => undefined;

const app = express();
app.use(session(new SessionManager()));
app.get("/", (req, res) => {
  const cart = req.session.get("cart");
  holds<Same<typeof cart, readonly string[] | undefined>>();
  holds<Same<typeof req.session.metadata.theme, "dark" | "light" | undefined>>();
  req.session.set("theme", "dark");
  // @ts-expect-error not one of the values
  req.session.set("theme", "blue");
  // @ts-expect-error not one of the keys
  req.session.get("card");
  // @ts-expect-error read only
  req.session.get("cart")?.push("more");
  res.json(req.session);
});
