import {
  type DeepReadonly,
  type JsonValue,
  mount,
  type Session,
  SessionManager,
  session,
  sessionApi,
  sessionOf,
} from "@kyb/session-express";
import express from "express";
import express4 from "express4";

interface Shop {
  cart: { id: string; count: number }[];
  visits: number;
  theme?: "dark" | "light";
}

/** Compiles only where both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Condition extends true>(): void => undefined;

const untyped = new SessionManager();
const shop = new SessionManager<Shop>();
const options = { authorize: () => true };

// Without casts, in both versions, whatever the data.
const app = express();
app.use(
  session(untyped),
  session(shop),
  sessionApi(shop, options),
  mount(() => undefined),
);
app.use("/prefix", session(shop, { connection: (req) => ({ remoteAddress: req.ip ?? "" }) }));
app.get("/one", session(shop), (_req, res) => void res.end());
express.Router().use(session(shop), sessionApi(shop, options));
const app4 = express4();
app4.use(
  session(untyped),
  session(shop),
  sessionApi(shop, options),
  mount(() => undefined),
);
app4.use("/prefix", session(shop));
app4.get("/one", session(shop), (_req, res) => void res.end());
express4.Router().use(session(shop), sessionApi(shop, options));

// Nothing is registered here: any JSON, and nothing else.
app.get("/", (req) => {
  holds<Same<typeof req.session, Session>>();
  const anything = req.session.get("anything");
  holds<Same<typeof anything, DeepReadonly<JsonValue> | undefined>>();
  req.session.set("anything", ["goes"]);
  // @ts-expect-error no JSON
  req.session.set("anything", () => 1);
  // @ts-expect-error assigning is not storing
  req.session.userId = "ann";
  // @ts-expect-error no property of the handle
  req.session.cart = [];
  // @ts-expect-error express-session's habit
  req.session.destroy();
});
app4.get("/", (req) => {
  holds<Same<typeof req.session, Session>>();
});

// The manager's own type.
app.get("/", async (req) => {
  const current = sessionOf(shop, req);
  holds<Same<typeof current, Session<Shop>>>();
  const cart = current.get("cart");
  holds<
    Same<typeof cart, readonly { readonly id: string; readonly count: number }[] | undefined>
  >();
  current.set("theme", "dark");
  current.increment("visits");
  const visits = await current.update("visits", (before = 0) => before + 1);
  holds<Same<typeof visits, number>>();
  await current.signIn("ann", { keep: ["cart"], metadata: { theme: "light" } });
  // @ts-expect-error not one of the keys
  current.get("card");
  // @ts-expect-error not one of the values
  current.set("theme", "blue");
  // @ts-expect-error not a number
  current.increment("cart");
  // @ts-expect-error read only
  current.get("cart")?.push({ id: "1", count: 1 });
  // @ts-expect-error not one of the keys
  await current.signIn("ann", { keep: ["card"] });
});

// What must not compile.
// @ts-expect-error a manager is needed
session();
// @ts-expect-error there is no API without an authorizer
sessionApi(shop, {});
// @ts-expect-error not one of the keys
sessionApi(shop, { ...options, clientReadable: ["card"] });
// @ts-expect-error no connection
session(shop, { connection: () => "127.0.0.1" });
// @ts-expect-error no Response
mount(() => "text");
