import { type Context, Hono } from "hono";
import {
  allowLoopback,
  mount,
  type Session,
  type SessionEnv,
  SessionManager,
  session,
  sessionApi,
} from "../src/index.ts";

interface Cart {
  items: string[];
  total: number;
  theme?: "dark" | "light";
}

/** Holds only where both types are the same. */
type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
function same<One, Other>(_holds: Same<One, Other>): void {
  return;
}

const manager = new SessionManager<Cart>();

// Chained, the session is inferred from the manager.
new Hono().use(session(manager)).get("/", (c) => {
  same<typeof c.var.session, Session<Cart>>(true);
  const items: readonly string[] | undefined = c.var.session.get("items");
  c.var.session.set("theme", "dark");
  c.get("session").increment("total");
  // @ts-expect-error a key that the data does not have
  c.var.session.get("missing");
  // @ts-expect-error a value of another type
  c.var.session.set("total", "12");
  // @ts-expect-error a text is not counted
  c.var.session.increment("theme");
  // @ts-expect-error data is read-only
  c.var.session.get("items")?.push("more");
  // @ts-expect-error the handle's facts cannot be assigned
  c.var.session.userId = "someone";
  // @ts-expect-error what the middleware does not provide
  c.var.user;
  return c.json({ items });
});

// Chained behind a path, and beside other middleware.
new Hono()
  .use("*", session(manager))
  .use(async (c, next) => {
    same<typeof c.var.session, Session<Cart>>(true);
    await next();
  })
  .post("/", (c) => c.text(c.var.session.id));

// As separate statements, by the application's type.
const app = new Hono<SessionEnv<Cart>>();
app.use(session(manager));
app.get("/", (c) => {
  same<typeof c.var.session, Session<Cart>>(true);
  // @ts-expect-error a key that the data does not have
  c.get("session").get("missing");
  return c.text("ok");
});

// Beside variables and bindings of the application's own.
type Env = {
  Variables: SessionEnv<Cart>["Variables"] & { user: string };
  Bindings: { PORT: string };
};
const both = new Hono<Env>();
both.use(session(manager));
both.get("/", (c) => {
  same<typeof c.var.session, Session<Cart>>(true);
  return c.text(c.var.user + c.env.PORT);
});

// Without a type of its own, the data is what the application registered.
new Hono().use(session(new SessionManager())).get("/", (c) => {
  same<typeof c.var.session, Session<{ registered: boolean }>>(true);
  return c.text("ok");
});
const plain = new Hono<SessionEnv>();
plain.use(session(new SessionManager()));

// Nothing is added to applications that do not ask for it.
new Hono().get("/", (c) => {
  // @ts-expect-error
  c.var.session;
  return c.text("ok");
});

// Handlers and helpers that are written elsewhere.
function views(c: Context<SessionEnv<Cart>>): number {
  return c.var.session.get("total") ?? 0;
}
new Hono<SessionEnv<Cart>>().get("/", (c) => c.json(views(c)));

// The API and what is mounted leave the types of a chain as they are.
new Hono()
  .use(session(manager))
  .use(sessionApi(manager, { authorize: allowLoopback, clientReadable: ["theme"] }))
  .use(mount(() => undefined, { manager }))
  .use(mount((request) => new Response(request.url)))
  .get("/", (c) => {
    same<typeof c.var.session, Session<Cart>>(true);
    return c.text("ok");
  });
// @ts-expect-error there is no default that would be right
sessionApi(manager, {});
// @ts-expect-error a key that the data does not have
sessionApi(manager, { authorize: allowLoopback, clientReadable: ["missing"] });
sessionApi(manager, {
  authorize: ({ session, action }) => action === "metrics" && session?.get("theme") === "dark",
});

// Who is at the other end, on hosts that do not tell.
session(manager, { connection: (c) => ({ remoteAddress: c.env.ip as string, encrypted: true }) });
// @ts-expect-error
session(manager, { connection: () => "192.0.2.1" });

declare module "@kyb/session-hono" {
  interface Register {
    data: { registered: boolean };
  }
}
