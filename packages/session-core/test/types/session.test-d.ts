import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import {
  type DataKey,
  type DeepReadonly,
  type JsonValue,
  memoryStore,
  type NumberKey,
  type Session,
  SessionManager,
  type UserSession,
} from "../../src/index.ts";
import { holds, type Same } from "./same.ts";

interface Shop {
  cart: { id: string; count: number }[];
  visits: number;
  score?: number | null;
  theme?: "dark" | "light";
  address?: { street: string; lines: [string, string] };
}

// Without a word about data: any JSON, under any key.
const untyped = await open(new SessionManager());
holds<Same<ReturnType<typeof untyped.get>, DeepReadonly<JsonValue> | undefined>>();
untyped.set("anything", ["goes", { that: null }]);
untyped.increment("anything");
// @ts-expect-error no JSON
untyped.set("anything", () => 1);
// @ts-expect-error no JSON
untyped.set("anything", new Date(0));
// @ts-expect-error keys are texts
untyped.set(5, 1);

// Typed by the manager.
const shop = await open(new SessionManager<Shop>());
holds<Same<typeof shop, Session<Shop>>>();
holds<Same<DataKey<Shop>, "cart" | "visits" | "score" | "theme" | "address">>();
holds<Same<NumberKey<Shop>, "visits" | "score">>();

const cart = shop.get("cart");
holds<Same<typeof cart, readonly { readonly id: string; readonly count: number }[] | undefined>>();
const visits = shop.get("visits");
holds<Same<typeof visits, number | undefined>>();
const theme = shop.get("theme");
holds<Same<typeof theme, "dark" | "light" | undefined>>();
holds<Same<typeof shop.metadata.visits, number | undefined>>();
holds<Same<typeof shop.userId, string | undefined>>();
holds<Same<typeof shop.state, "ok" | "unsaved" | "unavailable">>();

shop.set("cart", [{ id: "tea", count: 2 }]);
shop.set("theme", "dark");
shop.delete("theme");
shop.increment("visits");
shop.increment("score", -2.5);
const updated = await shop.update("cart", (current = []) => [...current, { id: "tea", count: 1 }]);
holds<Same<typeof updated, readonly { readonly id: string; readonly count: number }[]>>();
await shop.signIn("alice");
await shop.signIn("alice", { keep: true });
await shop.signIn("alice", { keep: ["cart", "visits"], metadata: { theme: "light" } });
const devices = await shop.devices();
holds<Same<(typeof devices.items)[number], UserSession<Shop>>>();

// @ts-expect-error not one of the keys
shop.get("card");
// @ts-expect-error not one of the keys
shop.delete("card");
// @ts-expect-error not one of the values
shop.set("theme", "blue");
// @ts-expect-error a part is missing
shop.set("cart", [{ id: "tea" }]);
// @ts-expect-error not a number
shop.increment("cart");
// @ts-expect-error not a number
shop.increment("theme");
// @ts-expect-error not a number
shop.increment("visits", "1");
// @ts-expect-error data is read-only
shop.get("cart")?.push({ id: "tea", count: 1 });
// @ts-expect-error data is read-only, all the way down
shop.get("address")?.lines.reverse();
// @ts-expect-error data is read-only
shop.metadata.visits = 5;
// @ts-expect-error an update is synchronous, because it may run again
await shop.update("visits", async () => 1);
// @ts-expect-error not the type of the value
await shop.update("visits", () => "1");
// @ts-expect-error not one of the keys
await shop.signIn("alice", { keep: ["card"] });
// @ts-expect-error not one of the values
await shop.signIn("alice", { metadata: { theme: "blue" } });
// @ts-expect-error all or the named ones; nothing is the default
await shop.signIn("alice", { keep: false });
// @ts-expect-error a user has an id
await shop.signIn(undefined);
// @ts-expect-error no callbacks
await shop.save(() => undefined);
// @ts-expect-error no callbacks
await shop.regenerate(() => undefined);
// @ts-expect-error no callbacks
await shop.signOut(() => undefined);

// The handle is no bag: express-session's habits do not compile.
// @ts-expect-error nothing is assigned
shop.userId = "mallory";
// @ts-expect-error nothing is assigned
shop.cart = [];
// @ts-expect-error nothing is assigned
shop.id = "x";
// @ts-expect-error it is called signOut
shop.destroy();
// @ts-expect-error there is no cookie to set
shop.cookie;

// Typed by a schema.
const byValibot = new SessionManager({
  schema: v.object({ step: v.number(), name: v.optional(v.string()) }),
});
holds<Same<typeof byValibot, SessionManager<{ step: number; name?: string | undefined }>>>();
const form = await open(byValibot);
form.increment("step");
form.set("name", "Alice");
// @ts-expect-error not one of the keys
form.set("nome", "Alice");
// @ts-expect-error not the schema's type
form.set("step", "2");

declare const schema: StandardSchemaV1<unknown, { step: number }>;
const byInterface = new SessionManager({ schema });
holds<Same<typeof byInterface, SessionManager<{ step: number }>>>();

// The manager.
const manager = new SessionManager<Shop>({ store: memoryStore(), sessionTimeout: "1h" });
await manager.create({ userId: "alice", metadata: { visits: 1 } });
const found = await manager.get("id");
holds<Same<typeof found, UserSession<Shop> | undefined>>();
await manager.patch("id", { theme: "dark" });
manager.on("ended", ({ sessionId, reason, userId }) => {
  holds<Same<typeof sessionId, string>>();
  holds<Same<typeof userId, string | undefined>>();
  holds<Same<(typeof reason & "idle") | "idle", "idle">>();
});
const stop: () => void = manager.on("lost-write", ({ keys, reason }) => {
  console.log(keys.join(), reason);
});
stop();

// @ts-expect-error not one of the keys
await manager.create({ metadata: { card: [] } });
// @ts-expect-error not one of the values
await manager.patch("id", { theme: "blue" });
// @ts-expect-error a user has an id: undefined would be everybody
await manager.revokeUser(undefined);
// @ts-expect-error it would list everybody
await manager.list({ userId: undefined });
// @ts-expect-error it would end the caller's own
await manager.revokeUser("alice", { except: undefined });
// @ts-expect-error no such reason
await manager.revoke("id", { reason: "bored" });
// @ts-expect-error no such event
manager.on("exploded", () => undefined);
// @ts-expect-error no such option
new SessionManager({ timeout: "1h" });
// @ts-expect-error no such choice
new SessionManager({ create: "never" });
// @ts-expect-error everybody is nobody
new SessionManager({ trustProxy: true });
// @ts-expect-error what is frozen stays as it is
manager.config.sessionTimeout = 5;

async function open<Data extends object>(of: SessionManager<Data>): Promise<Session<Data>> {
  return (await of.visit({ method: "GET", url: "/", headers: new Headers() })).session;
}
