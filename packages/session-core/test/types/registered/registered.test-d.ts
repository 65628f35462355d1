import {
  type DeepReadonly,
  type RegisteredData,
  type Session,
  SessionManager,
  type UserSession,
} from "../../../src/index.ts";
import { holds, type Same } from "../same.ts";

interface Shop {
  cart: { id: string; count: number }[];
  visits: number;
  theme?: "dark" | "light";
}

declare module "../../../src/index.ts" {
  interface Register {
    data: Shop;
  }
}

// Registered once, it is the data of every manager and handle that says nothing else.
holds<Same<RegisteredData, Shop>>();
const manager = new SessionManager();
holds<Same<typeof manager, SessionManager<Shop>>>();

manager.wrap((_request, session) => {
  holds<Same<typeof session, Session<Shop>>>();
  const cart = session.get("cart");
  holds<Same<typeof cart, DeepReadonly<Shop["cart"]> | undefined>>();
  session.increment("visits");
  // @ts-expect-error not one of the keys
  session.get("card");
  // @ts-expect-error not one of the values
  session.set("theme", "blue");
  return new Response();
});

const listed = await manager.list();
holds<Same<(typeof listed.items)[number], UserSession<Shop>>>();

// A manager with data of its own goes its own way.
const other = new SessionManager<{ step: number }>();
other.wrap((_request, session) => {
  session.set("step", 2);
  // @ts-expect-error not one of its keys
  session.get("cart");
  return new Response();
});
