import { memoryStore, migrate } from "@kyb/session-core";
import session, { MemoryStore, type SessionData } from "express-session";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromExpressStore, SessionManager } from "../../src/index.ts";

const SECOND = 1000;
const HOUR = 3_600_000;

/** What the store of express-session holds under each id. */
function held(store: MemoryStore): Record<string, SessionData & { kyb?: string }> {
  const { sessions } = store as unknown as { sessions: Record<string, string> };
  return Object.fromEntries(
    Object.entries(sessions).map(([id, text]) => [id, JSON.parse(text)] as const),
  );
}

let express: MemoryStore;
let manager: SessionManager;

beforeEach(() => {
  express = new MemoryStore();
  manager = new SessionManager({ store: fromExpressStore(express), sessionTimeout: "2h" });
});

afterEach(() => manager.close());

/** The token's session, as a request sees it. */
async function opened(token: string) {
  const headers = new Headers({ cookie: `kyb_session_id=${token}`, host: "localhost" });
  return manager.visit({ method: "GET", url: "/", headers });
}

describe("a store of express-session behind a manager", () => {
  it("keeps sessions as its own, with the cookie by whose end it deletes them", async () => {
    const { session: made } = await manager.create({ userId: "ann", metadata: { cart: ["tea"] } });
    const { [made.id]: stored = expect.unreachable() } = held(express);
    const left = Number(new Date(stored.cookie.expires ?? 0)) - Date.now();
    // The idle timeout and the time that ended sessions stay readable.
    expect(Math.abs(left - (2 * HOUR + 24 * HOUR))).toBeLessThan(5 * SECOND);
    expect(stored.cookie.originalMaxAge).toBeGreaterThan(25 * HOUR);
    expect(typeof stored.kyb).toBe("string");
    expect(Object.keys(stored).sort()).toEqual(["cookie", "kyb"]);
  });

  it("serves a user from sign-in to sign-out, also after a restart of the process", async () => {
    const { session: made, token } = await manager.create({ userId: "ann" });
    const visit = await opened(token);
    visit.session.increment("views");
    await visit.commit();
    await manager.close();
    manager = new SessionManager({ store: fromExpressStore(express) });
    const again = await opened(token);
    expect(again.session).toMatchObject({ id: made.id, userId: "ann" });
    expect(again.session.get("views")).toBe(1);
    expect(await again.session.signOut()).toEqual({ ended: 1, durable: false });
    expect((await opened(token)).session.userId).toBeUndefined();
    expect((await manager.get(made.id))?.endReason).toBe("signed-out");
  });

  it("loses no write of this process, however many there are at once", async () => {
    const { session: made, token } = await manager.create({ userId: "ann" });
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const visit = await opened(token);
        visit.session.set(`key ${index}`, index);
        visit.session.increment("n");
        await visit.commit();
      }),
    );
    const { metadata } = (await manager.get(made.id)) ?? expect.unreachable();
    expect(Object.keys(metadata)).toHaveLength(51);
    expect(metadata).toMatchObject({ n: 50 });
  });

  it("says what it cannot do, and does not pretend", async () => {
    const { features, configuration } = await manager.status();
    expect(features.userIndex).toBe(false);
    expect(configuration.store).toBe("express-MemoryStore");
    const unsupported = { code: "UNSUPPORTED", status: 501 };
    await expect(manager.revokeUser("ann")).rejects.toMatchObject(unsupported);
    await expect(manager.list({ userId: "ann" })).rejects.toMatchObject(unsupported);
    const { token } = await manager.create({ userId: "ann" });
    const { session: own } = await opened(token);
    await expect(own.devices()).rejects.toMatchObject(unsupported);
    await expect(own.endOthers()).rejects.toMatchObject(unsupported);
    expect(
      () => new SessionManager({ store: fromExpressStore(express), maxSessionsPerUser: 2 }),
    ).toThrow(/maxSessionsPerUser must be left out/);
    Object.assign(express, { all: undefined });
    await expect(manager.list()).rejects.toMatchObject(unsupported);
  });

  it("neither reads nor touches what express-session itself wrote", async () => {
    const sid = "express".padEnd(32, "x");
    const own = { cookie: { originalMaxAge: HOUR, path: "/" }, user: "ann" };
    await new Promise((resolve) => express.set(sid, own as unknown as SessionData, resolve));
    const before = held(express)[sid];
    await expect(manager.get(sid)).rejects.toMatchObject({ code: "RECORD_UNREADABLE" });
    await expect(opened(`${sid}.${"A".repeat(43)}`)).rejects.toMatchObject({ status: 503 });
    expect((await manager.list()).total).toBe(0);
    expect(held(express)[sid]).toEqual(before);
  });

  it("refuses a damaged record and leaves it as it is (R-72)", async () => {
    const { session: made } = await manager.create({ userId: "ann" });
    const { sessions } = express as unknown as { sessions: Record<string, string> };
    const stored = held(express)[made.id] ?? expect.unreachable();
    for (const kyb of [
      "{",
      "[]",
      "{}",
      (stored.kyb ?? "").replace('"version":1', '"version":2'),
      (stored.kyb ?? "").replace('"epoch":0', '"epoch":"0"'),
      (stored.kyb ?? "").replace('"opIds":[]', '"opIds":[7]'),
    ]) {
      const damaged = JSON.stringify({ ...stored, kyb });
      sessions[made.id] = damaged;
      await expect(manager.get(made.id), kyb).rejects.toMatchObject({ code: "RECORD_UNREADABLE" });
      expect(sessions[made.id]).toBe(damaged);
    }
  });

  it("keeps the observations of a batch, though one of its sessions cannot be read", async () => {
    const { session: good } = await manager.create();
    const { session: bad } = await manager.create();
    await manager.recordActivity(bad.id, { action: "lost" });
    await manager.recordActivity(good.id, { action: "kept" });
    const { sessions } = express as unknown as { sessions: Record<string, string> };
    sessions[bad.id] = JSON.stringify({ cookie: {}, kyb: "{" });
    await manager.close();
    manager = new SessionManager({ store: fromExpressStore(express) });
    expect((await manager.activity(good.id)).items).toMatchObject([{ action: "kept" }]);
  });

  it("is moved into another store without signing anybody out", async () => {
    const { session: made, token } = await manager.create({ userId: "ann" });
    await manager.recordActivity(made.id, { action: "bought" });
    const from = fromExpressStore(express);
    const to = memoryStore();
    const next = new SessionManager({ store: to, sessionTimeout: "2h" });
    await manager.close();
    expect(await migrate({ from, to })).toMatchObject({ total: 1, copied: 1 });
    manager = next;
    expect((await opened(token)).session.userId).toBe("ann");
    expect((await manager.activity(made.id)).items).toMatchObject([{ action: "bought" }]);
  });

  it("is not closed with the manager: it is the application's", async () => {
    const store = fromExpressStore(express);
    const other = new SessionManager({ store });
    await store.close();
    await expect(other.create()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await manager.create();
    expect(Object.keys(held(express))).toHaveLength(1);
  });
});

describe("a store of express-session that fails", () => {
  it("is an outage, with its own error as the cause", async () => {
    const cause = new Error("connection reset");
    Object.assign(express, {
      get: (_id: string, callback: (error: unknown) => void) => callback(cause),
    });
    await expect(manager.get("A".repeat(32))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      cause,
    });
    Object.assign(express, {
      get: () => {
        throw cause;
      },
    });
    await expect(manager.get("B".repeat(32))).rejects.toMatchObject({ cause });
  });

  it("holds up nobody behind a call that it never answers", async () => {
    await manager.close();
    const store = fromExpressStore(express);
    manager = new SessionManager({ store, storeTimeout: 50 });
    const { session: made } = await manager.create();
    const { get } = express;
    express.get = () => undefined;
    await expect(manager.get(made.id)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    express.get = get;
    expect((await manager.get(made.id))?.id).toBe(made.id);
  });

  it("is refused at construction where it is none", () => {
    for (const wrong of [undefined, {}, { get: session, set: session }, session]) {
      expect(() => fromExpressStore(wrong as unknown as MemoryStore)).toThrow(/has no method/);
    }
  });
});
