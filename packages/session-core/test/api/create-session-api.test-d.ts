// Types alone: the compiler is the test, and `@ts-expect-error` fails where nothing is wrong.

import {
  type Authorize,
  allowLoopback,
  createSessionApi,
  type SessionApi,
  type SessionApiOptions,
} from "../../src/api/index.ts";
import { SessionManager } from "../../src/index.ts";

interface Shop {
  role: "admin" | "customer";
  cart: string[];
}

const shop = new SessionManager<Shop>();
const anything = new SessionManager();

// The data of the manager is known to the authorizer and in the lists of keys.
createSessionApi(shop, {
  authorize: ({ session }) => session?.get("role") === "admin",
  clientReadable: ["cart"],
  clientWritable: ["cart"],
});
createSessionApi(shop, { authorize: async ({ session }) => session?.metadata.role === "admin" });
createSessionApi(anything, { authorize: ({ session }) => session?.get("anything") === 1 });

// @ts-expect-error a role that there is not
createSessionApi(shop, { authorize: ({ session }) => session?.get("role") === "root" });
// @ts-expect-error a key that there is not
createSessionApi(shop, { authorize: allowLoopback, clientReadable: ["basket"] });
// @ts-expect-error there is no API without an authorizer
createSessionApi(shop, { basePath: "/sessions" });
// @ts-expect-error an option that there is not
createSessionApi(shop, { authorize: allowLoopback, path: "/sessions" });
// @ts-expect-error an answer that permits nothing
createSessionApi(shop, { authorize: () => "yes" });
// @ts-expect-error an action that there is not
createSessionApi(shop, { authorize: ({ action }) => action === "delete" });

// One authorizer and one API fit managers of any data.
export const forShop: Authorize<Shop> = allowLoopback;
export const forAnything: Authorize = allowLoopback;
export const options: SessionApiOptions<Shop> = { authorize: allowLoopback };
export const apis: SessionApi[] = [
  createSessionApi(shop, options),
  createSessionApi(anything, { authorize: allowLoopback }),
];

/** As an adapter calls it, with the visit that it has opened, whatever its data. */
export async function answer<Data extends object>(
  manager: SessionManager<Data>,
  api: SessionApi,
  request: Request,
): Promise<Response | undefined> {
  const visit = await manager.visit(request);
  return api(request, { remoteAddress: "127.0.0.1" }, { visit, mountPath: "/admin" });
}
