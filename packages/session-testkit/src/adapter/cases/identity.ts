import { expect } from "vitest";
import type { Seen } from "../browser.ts";
import type { Answer } from "../client.ts";
import { type AdapterCase, inTopic } from "../harness.ts";

/** What the server shows to a request that it serves without a session: nothing of anybody. */
function expectNoSession(answer: Answer): void {
  const { id, state, userId, data } = answer.json<Seen>();
  expect({ id, state, userId, data }).toEqual({ id: "", state: "unsaved", userId: null, data: {} });
}

export const identityCases: readonly AdapterCase[] = inTopic("identity", [
  {
    name: "sign-in changes the secret, keeps the id and drops what the anonymous visitor had stored (R-21)",
    async run(bench) {
      const app = await bench.start();
      const browser = app.newcomer();
      await browser.ask("/set?planted=1");
      const before = await browser.read();
      const { cookie } = browser;
      expect((await browser.ask("/sign-in")).setCookies).toHaveLength(1);
      expect(browser.cookie).not.toBe(cookie);
      const { id, userId, data } = await browser.read();
      expect({ id, userId, data }).toEqual({ id: before.id, userId: "ann", data: {} });
    },
  },
  {
    name: "regenerate changes the secret and keeps id, user and data (R-21)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor({ userId: "ann", metadata: { a: 1 } });
      const { cookie } = browser;
      expect((await browser.ask("/regenerate")).setCookies).toHaveLength(1);
      expect(browser.cookie).not.toBe(cookie);
      expect(await browser.read()).toMatchObject({ id, userId: "ann", data: { a: 1 } });
    },
  },
  ...["sign-in", "regenerate", "sign-out"].map(
    (change) =>
      ({
        name: `a secret that ${change} has retired gets nothing for 60 s: no session, no new one, no cookie (R-21)`,
        async run(bench) {
          const app = await bench.start();
          const { browser, id } = await app.visitor({ metadata: { a: 1 } });
          const headers = { Cookie: browser.cookie ?? "" };
          await browser.ask(`/${change}`);
          const count = await app.count();
          const late = app.client();

          app.clock.advance(59_999);
          for (const path of ["/read", "/set?b=2", "/sign-out"]) {
            const answer = await late.ask(path, { headers });
            expect(answer.status).toBe(200);
            expect(answer.setCookies).toEqual([]);
            if (path === "/read") expectNoSession(answer);
          }
          expect(await app.count()).toBe(count);
          expect(await app.data(id)).not.toHaveProperty("b");

          app.clock.advance(1);
          const answer = await late.ask("/read", { headers });
          const { state, isNew, data } = answer.json<Seen>();
          expect({ state, isNew, data }).toEqual({ state: "ok", isNew: true, data: {} });
          expect(answer.json<Seen>().id).not.toBe(id);
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "sign-out ends the session, clears the cookie and starts none in the same response",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor({ userId: "ann" });
      const { setCookies } = await browser.ask("/sign-out");
      expect(setCookies).toHaveLength(1);
      expect(browser.cookie).toBeUndefined();
      expect(await app.count()).toBe(1);
      expect(await app.manager.get(id)).toMatchObject({ isActive: false, endReason: "signed-out" });
      expect(await browser.read()).toMatchObject({ isNew: true, userId: null });
    },
  },
  {
    name: "a session that was ended elsewhere is over with the next request, whose cookie is left alone (R-26, R-30)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor({ userId: "ann" });
      await app.manager.revoke(id);
      const answer = await browser.ask("/read");
      expectNoSession(answer);
      expect(answer.setCookies).toEqual([]);
    },
  },
  {
    name: "regeneration by time offers the next secret until it comes back, and then it is the only one that is set (R-23)",
    async run(bench) {
      const app = await bench.start({ config: { regenerateEvery: "5m" } });
      const { browser, id } = await app.visitor();
      const headers = { Cookie: browser.cookie ?? "" };
      const old = app.client();
      app.clock.advance(300_000);
      const first = await old.ask("/read", { headers });
      expect(first.setCookies).toHaveLength(1);
      expect((await old.ask("/read", { headers })).setCookies).toEqual(first.setCookies);
      browser.keep(first);
      expect(await browser.read()).toMatchObject({ id });
      const late = await old.ask("/read", { headers });
      expect(late.json()).toMatchObject({ id });
      expect(late.setCookies).toEqual([]);
    },
  },
]);
