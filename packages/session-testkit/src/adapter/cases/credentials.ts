import { expect } from "vitest";
import type { Browser, Seen } from "../browser.ts";
import { type AdapterCase, inTopic } from "../harness.ts";
import { errorReply } from "../replies.ts";

/** What browsers say of a request that another site made them send. */
const CROSS_SITE = { headers: { "Sec-Fetch-Site": "cross-site" } };

function tokenOf(browser: Browser): string {
  return browser.cookies.get("kyb_session_id") ?? expect.unreachable("there is no cookie");
}

/** The token with another secret of the right form. */
function forged(token: string): string {
  return `${token.slice(0, 33)}${"A".repeat(43)}`;
}

export const credentialCases: readonly AdapterCase[] = inTopic("credentials", [
  {
    name: "whatever is no token of ours makes its sender a newcomer with an id of our making, and costs no look into the store (R-04, R-05)",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser, id } = await app.visitor();
      const token = tokenOf(browser);
      const strange = [
        "",
        id,
        token.slice(0, -1),
        `${token}A`,
        `"${token}"`,
        token.replace(".", "%2E"),
        `%${token.slice(1)}`,
        "x".repeat(8000),
        "%E0%A4%A",
        "__proto__",
      ];
      for (const value of strange) {
        const headers = { Cookie: `kyb_session_id=${value}` };
        const answer = await app.client().ask("/read", { headers });
        expect(answer.status, value).toBe(200);
        expect(answer.json<Seen>(), value).toMatchObject({ state: "ok", isNew: true });
        expect(answer.json<Seen>().id, value).not.toBe(id);
        expect(answer.setCookies, value).toHaveLength(1);
      }
      expect(app.store.calls("find")).toBe(0);
    },
  },
  {
    name: "a well-formed token that nobody has is never adopted: its sender gets another id (R-05)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const unknown = `${"B".repeat(32)}.${"C".repeat(43)}`;
      for (const token of [forged(tokenOf(browser)), unknown]) {
        const headers = { Cookie: `kyb_session_id=${token}` };
        const answer = await app.client().ask("/read", { headers });
        expect(answer.json<Seen>()).toMatchObject({ state: "ok", isNew: true });
        expect([id, unknown.slice(0, 32)]).not.toContain(answer.json<Seen>().id);
        expect(answer.setCookies).toHaveLength(1);
      }
      expect((await browser.read()).id).toBe(id);
    },
  },
  {
    name: "the cookie is found among many others, whatever they hold (R-17)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const others = ["a=%", 'b="x', "xkyb_session_id=1", "=", "kyb_session_idx=1", "c", "d=e=f"];
      const pairs = [...others, `kyb_session_id=${tokenOf(browser)}`, ...others];
      const answer = await app.client().ask("/read", { headers: { Cookie: pairs.join("; ") } });
      expect(answer.json<Seen>().id).toBe(id);
    },
  },
  {
    name: "two session cookies are served without a session, and nothing is created or set; in one line or in two (R-18)",
    async run(bench) {
      const app = await bench.start();
      const { browser } = await app.visitor();
      const cookie = `kyb_session_id=${tokenOf(browser)}`;
      const before = await app.count();
      for (const Cookie of [
        `${cookie}; ${cookie}`,
        [cookie, cookie],
        [cookie, "kyb_session_id=x"],
      ]) {
        const answer = await app.client().ask("/read", { headers: { Cookie } });
        expect(answer.status).toBe(200);
        expect(answer.json<Seen>()).toMatchObject({ id: "", state: "unsaved" });
        expect(answer.setCookies).toEqual([]);
      }
      expect(await app.count()).toBe(before);
      expect(app.heard("withheld").map(({ reason }) => reason)).toEqual(
        Array(3).fill("duplicate-cookie"),
      );
    },
  },
  {
    name: "a request from another site without a cookie creates nothing and sets nothing, also where it stores something (R-16)",
    async run(bench) {
      const app = await bench.start();
      for (const path of ["/read", "/set?a=1"]) {
        const answer = await app.newcomer().ask(path, CROSS_SITE);
        expect(answer.status).toBe(200);
        expect(answer.setCookies).toEqual([]);
      }
      expect(await app.count()).toBe(0);
      expect(app.heard("withheld")).toContainEqual({ reason: "cross-site", key: "a" });
    },
  },
  {
    name: "a request from another site without a cookie that signs in sets one (R-16)",
    async run(bench) {
      const app = await bench.start();
      const browser = app.newcomer();
      expect((await browser.ask("/sign-in", CROSS_SITE)).setCookies).toHaveLength(1);
      expect((await browser.read()).userId).toBe("ann");
    },
  },
  {
    name: "a request from another site that brings its cookie has its session (R-16)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor({ userId: "ann" });
      expect(await browser.read(CROSS_SITE)).toMatchObject({ id, userId: "ann" });
    },
  },
  {
    name: "a request for an image without a cookie gets no session of its own (R-16)",
    async run(bench) {
      const app = await bench.start();
      const headers = { "Sec-Fetch-Dest": "image" };
      expect((await app.newcomer().ask("/quiet", { headers })).setCookies).toEqual([]);
      expect(await app.count()).toBe(0);
    },
  },
  {
    name: "a token in the URL or in the body is not looked at (R-06)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const parameter = `kyb_session_id=${tokenOf(browser)}`;
      const client = app.client();
      const answers = [
        await client.ask(`/read?${parameter}`),
        await client.ask("/read", {
          body: parameter,
          headers: { "Content-Type": "application/x-www-form-urlencoded" },
        }),
      ];
      for (const answer of answers) expect(answer.json<Seen>().id).not.toBe(id);
    },
  },
  {
    name: "a bearer token works where it is switched on and sets no cookie, and no cookie's token works as a bearer (R-07)",
    async run(bench) {
      const app = await bench.start({ config: { transports: ["cookie", "bearer"] } });
      const { session, token } = await app.manager.create({ transport: "bearer" });
      const { browser, id } = await app.visitor();
      const ask = (bearer: string) =>
        app.client().ask("/read", { headers: { Authorization: `Bearer ${bearer}` } });
      const answer = await ask(token);
      expect(answer.json<Seen>().id).toBe(session.id);
      expect(answer.setCookies).toEqual([]);
      expect((await ask(tokenOf(browser))).json<Seen>().id).not.toBe(id);
    },
  },
  {
    name: "two tokens in one request are refused with 400 before any handler runs (R-07)",
    async run(bench) {
      const config = { transports: ["cookie", "bearer"] } as const;
      const app = await bench.start({ config, onError: errorReply });
      const { token } = await app.manager.create({ transport: "bearer" });
      const { browser, id } = await app.visitor();
      const headers = { Authorization: `Bearer ${token}` };
      const answer = await browser.ask("/set?a=1", { headers });
      expect(answer.status).toBe(400);
      expect(answer.text).toBe("handled CREDENTIALS_CONFLICT");
      expect(answer.setCookies).toEqual([]);
      expect(await app.data(id)).toEqual({});
    },
  },
  {
    name: "a request that the option skip names gets no session and leaves no trace",
    async run(bench) {
      const app = await bench.start({ config: { skip: (head) => head.url.includes("/read") } });
      expect((await app.newcomer().ask("/read")).setCookies).toEqual([]);
      expect(await app.count()).toBe(0);
      const { browser, id } = await app.visitor();
      expect(await browser.read()).toMatchObject({ id: "", state: "unsaved" });
      await browser.ask("/quiet");
      expect((await app.entry(id)).endpoint).toBe("/quiet");
    },
  },
]);
