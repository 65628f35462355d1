import { describe, expect, it } from "vitest";
import { memoryStore, SessionError, type SessionStore } from "../../src/index.ts";
import { wrappedStore } from "../support/wrapped-store.ts";
import { type ApiClient, ApiWorld } from "./support/api-world.ts";

/** Which of these clients' sessions are live. */
async function liveness(world: ApiWorld, clients: readonly ApiClient[]): Promise<unknown[]> {
  const sessions = await Promise.all(clients.map(({ sessionId }) => world.manager.get(sessionId)));
  return sessions.map((session) => session?.isActive);
}

for (const behindSession of [true, false]) {
  const where = behindSession ? "behind session()" : "on its own";

  describe(`DELETE /v1/sessions, ${where}`, () => {
    it("signs the caller out and takes the cookie away", async () => {
      const world = new ApiWorld({ behindSession });
      const client = await world.signedIn("alice");
      const answer = await client.send("DELETE", `?session_id=${client.sessionId}`);
      expect(answer.body).toEqual({
        success: true,
        message: "1 session has ended.",
        count: 1,
        durable: true,
      });
      expect(answer.setCookies.join()).toContain("Max-Age=0");
      expect(client.cookies.size).toBe(0);
      expect((await world.manager.get(client.sessionId))?.endReason).toBe("signed-out");
    });

    it("ends another device of the same user, and leaves the caller's cookie alone", async () => {
      const world = new ApiWorld({ behindSession });
      const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
      const answer = await desk.send("DELETE", `?session_id=${phone.sessionId}`);
      expect([answer.status, answer.body.count, answer.setCookies]).toEqual([200, 1, []]);
      expect(await liveness(world, [desk, phone])).toEqual([true, false]);
      expect((await world.manager.get(phone.sessionId))?.endReason).toBe("revoked");
      expect((await phone.send("GET", "/current")).status).toBe(404);
    });

    it("ends all sessions of the caller's user, the own one and its cookie among them", async () => {
      const world = new ApiWorld({ behindSession });
      const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
      const bob = await world.signedIn("bob");
      const answer = await desk.send("DELETE", "?user_id=alice");
      expect(answer.body).toEqual({
        success: true,
        message: "2 sessions have ended.",
        count: 2,
        durable: true,
      });
      expect(answer.setCookies.join()).toContain("Max-Age=0");
      expect(await liveness(world, [desk, phone, bob])).toEqual([false, false, true]);
    });

    it("ends all but the caller's own with except=current", async () => {
      const world = new ApiWorld({ behindSession });
      const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
      const answer = await desk.send("DELETE", "?user_id=alice&except=current");
      expect([answer.body.count, answer.setCookies]).toEqual([1, []]);
      expect(await liveness(world, [desk, phone])).toEqual([true, false]);
      expect((await desk.send("DELETE", "?user_id=alice&except=current")).body.count).toBe(0);
    });

    it("ends everything of a user for an administrator, who stays", async () => {
      for (const query of ["?user_id=alice", "?user_id=alice&except=current"]) {
        const world = new ApiWorld({ behindSession });
        const admin = await world.signedIn("admin");
        const alice = [await world.signedIn("alice"), await world.signedIn("alice")];
        const answer = await admin.send("DELETE", query);
        expect([answer.body.count, answer.setCookies]).toEqual([2, []]);
        expect(await liveness(world, [admin, ...alice])).toEqual([true, false, false]);
        expect((await admin.send("DELETE", "?user_id=nobody")).body.count).toBe(0);
      }
    });

    it("is idempotent for who may see what has ended", async () => {
      const world = new ApiWorld({ behindSession });
      const [admin, alice] = [await world.signedIn("admin"), await world.signedIn("alice")];
      for (const count of [1, 0, 0]) {
        const { status, body } = await admin.send("DELETE", `?session_id=${alice.sessionId}`);
        expect([status, body.count]).toEqual([200, count]);
      }
    });

    it("needs a session for except=current", async () => {
      const world = new ApiWorld({ behindSession, api: { authorize: () => true } });
      const alice = await world.signedIn("alice");
      const { status, body } = await world.client().send("DELETE", "?user_id=alice&except=current");
      expect([status, body.error]).toEqual([400, "except=current needs a session of your own."]);
      expect(await liveness(world, [alice])).toEqual([true]);
    });

    it("says so where the store has not confirmed it durably", async () => {
      const inner = memoryStore();
      const store = {
        ...wrappedStore(inner, (_method, run) => run()),
        end: () => ({ status: "ended", durable: false }) as const,
      };
      const world = new ApiWorld({ behindSession, config: { store } });
      const [desk, phone] = [await world.signedIn("alice"), await world.signedIn("alice")];
      for (const { sessionId } of [phone, desk]) {
        const { body } = await desk.send("DELETE", `?session_id=${sessionId}`);
        expect(body).toEqual({
          success: true,
          message: "1 session has ended. Not confirmed by replicas of the store.",
          count: 1,
          durable: false,
        });
      }
    });

    it("ends a session that nobody can read, for an administrator alone (R-72)", async () => {
      const inner = memoryStore();
      const unreadable = new Set<string>();
      const store: SessionStore = {
        ...wrappedStore(inner, (_method, run) => run()),
        find: (id, call) => {
          if (unreadable.has(id)) throw new SessionError("RECORD_UNREADABLE", "Of another kind.");
          return inner.find(id, call);
        },
      };
      const world = new ApiWorld({ behindSession, config: { store } });
      const [admin, bob] = [await world.signedIn("admin"), await world.signedIn("bob")];
      const alice = await world.signedIn("alice");
      unreadable.add(alice.sessionId);
      const query = `?session_id=${alice.sessionId}`;
      expect((await bob.send("DELETE", query)).status).toBe(404);
      expect((await admin.send("GET", `/detail${query}`)).body.code).toBe("RECORD_UNREADABLE");
      expect((await admin.send("DELETE", query)).body).toMatchObject({ count: 1 });
      expect(inner.find(alice.sessionId)?.endReason).toBe("revoked");
    });
  });
}
