import Koa, { type ParameterizedContext } from "koa";
import {
  allowLoopback,
  mount,
  type Session,
  type SessionContext,
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
new Koa().use(session(manager)).use((ctx) => {
  same<typeof ctx.session, Session<Cart>>(true);
  const items: readonly string[] | undefined = ctx.session.get("items");
  ctx.session.set("theme", "dark");
  ctx.session.increment("total");
  // @ts-expect-error a key that the data does not have
  ctx.session.get("missing");
  // @ts-expect-error a value of another type
  ctx.session.set("total", "12");
  // @ts-expect-error a text is not counted
  ctx.session.increment("theme");
  // @ts-expect-error data is read-only
  ctx.session.get("items")?.push("more");
  // @ts-expect-error the handle's facts cannot be assigned
  ctx.session.userId = "someone";
  ctx.body = { items };
});

// Through what stands between, the management API among it.
new Koa()
  .use(session(manager))
  .use(sessionApi(manager, { authorize: allowLoopback, clientReadable: ["theme"] }))
  .use(mount(() => undefined, { manager }))
  .use(mount((request) => new Response(request.url)))
  .use(async (ctx, next) => {
    same<typeof ctx.session, Session<Cart>>(true);
    await next();
  })
  .use((ctx) => {
    same<typeof ctx.session, Session<Cart>>(true);
  });

// Beside state of the application's own.
new Koa<{ user: string }>().use(session(manager)).use((ctx) => {
  same<typeof ctx.session, Session<Cart>>(true);
  same<typeof ctx.state.user, string>(true);
});

// By the application's type, for calls that are not chained.
const app = new Koa<Koa.DefaultState, SessionContext<Cart>>();
app.use(session(manager));
app.use((ctx) => {
  same<typeof ctx.session, Session<Cart>>(true);
  // @ts-expect-error a key that the data does not have
  ctx.session.get("missing");
});

// As separate statements of an application without a type it is `any`: Koa cannot know better.
const untyped = new Koa();
untyped.use(session(manager));
untyped.use((ctx) => {
  same<0 extends 1 & typeof ctx.session ? "any" : "typed", "any">(true);
});

// Without a type of its own, the data is what the application registered.
new Koa().use(session(new SessionManager())).use((ctx) => {
  same<typeof ctx.session, Session<{ registered: boolean }>>(true);
});

// Handlers and helpers that are written elsewhere.
function total(ctx: ParameterizedContext<Koa.DefaultState, SessionContext<Cart>>): number {
  return ctx.session.get("total") ?? 0;
}
new Koa().use(session(manager)).use((ctx) => {
  ctx.body = total(ctx);
});

// @ts-expect-error there is no default that would be right
sessionApi(manager, {});
// @ts-expect-error a key that the data does not have
sessionApi(manager, { authorize: allowLoopback, clientReadable: ["missing"] });
sessionApi(manager, {
  authorize: ({ session, action }) => action === "metrics" && session?.get("theme") === "dark",
});

// Who is at the other end, where the socket does not say it.
session(manager, { connection: (ctx) => ({ remoteAddress: ctx.get("X-Peer"), encrypted: true }) });
// @ts-expect-error
session(manager, { connection: () => "192.0.2.1" });

declare module "@kyb/session-koa" {
  interface Register {
    data: { registered: boolean };
  }
}
