import { SessionManager } from "@kyb/session-core";
import { allowLoopback, type SessionApiOptions } from "@kyb/session-core/api";
import type { SessionStore } from "@kyb/session-core/store";
import { isAsset } from "./assets.ts";
import { ADMINISTRATOR } from "./shop.ts";

/** The sessions of the demo, with the defaults; what a browser fetches for a page is not a visit. */
export function createSessions(store: SessionStore): SessionManager {
  return new SessionManager({ store, skip: (head) => isAsset(head.url) });
}

/**
 * Who may use the management API beyond his own sessions: programs on this machine, so that curl works, and the
 * signed-in administrator. A real application leaves `allowLoopback` out.
 */
export const authorize: SessionApiOptions["authorize"] = (context) =>
  allowLoopback(context) || context.session?.userId === ADMINISTRATOR;
