import { lifecycle } from "./lifecycle.ts";
import type { StoreQuery } from "./store-query.ts";
import { type Page, toUserSession, type UserSession } from "./view.ts";
import type { RequestVisit } from "./visit.ts";

/** Devices that are listed at most; who has more ends them all. */
const MAX_DEVICES = 1000;

/** The live sessions of the visit's user, newest first; of an anonymous visitor the own one alone. */
export async function devices<Data extends object>(
  visit: RequestVisit,
): Promise<Page<UserSession<Data>>> {
  const { engine, work } = visit;
  const { presence, state } = work;
  if (presence === undefined || state === undefined) return { items: [], total: 0 };
  const { userId } = state;
  const now = engine.now();
  if (userId === undefined) {
    return { items: [toUserSession<Data>(presence.record, now, state)], total: 1 };
  }
  const query: StoreQuery = {
    userId,
    status: "active",
    search: undefined,
    sort: "createdAt",
    direction: "descending",
    limit: MAX_DEVICES,
    offset: 0,
    cursor: undefined,
  };
  const page = await engine.gateway.call("list", (store, call) => store.list(query, call));
  return {
    items: page.records.map((record) => toUserSession<Data>(record, now)),
    nextCursor: page.nextCursor,
    total: page.total,
  };
}

/** Ends one session, if it is another live one of the visit's user. */
export async function endOther(visit: RequestVisit, id: string): Promise<boolean> {
  const { engine, work } = visit;
  const userId = work.state?.userId;
  if (work.presence === undefined || userId === undefined || id === work.id) return false;
  const target = await engine.gateway.call("find", (store, call) => store.find(id, call));
  if (target === undefined || target.state.userId !== userId) return false;
  if (lifecycle(target, engine.now()) !== "live") return false;
  const result = await engine.gateway.call("end", (store, call) =>
    store.end(id, "revoked", { epoch: target.state.epoch }, call),
  );
  return result.status === "ended";
}

/** Ends all other sessions of the visit's user. */
export async function endOthers(visit: RequestVisit): Promise<number> {
  const { engine, work } = visit;
  const userId = work.state?.userId;
  if (work.presence === undefined || userId === undefined) return 0;
  const result = await engine.gateway.call("end", (store, call) =>
    store.endUser(userId, "revoked", { except: work.id }, call),
  );
  return result.ended.length;
}
