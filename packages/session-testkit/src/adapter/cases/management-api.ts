import { expect } from "vitest";
import type { App, AppOptions } from "../bench.ts";
import type { Answer, Ask, Client } from "../client.ts";
import { type AdapterCase, inTopic, type Layer } from "../harness.ts";

const SESSION: Layer = { kind: "session" };
const PARSER: Layer = { kind: "body-parser" };

/** Permits what it is asked by a peer on this machine, which only the adapter can tell. */
function api(options: { at?: string; basePath?: string } = {}): Layer {
  const { at, basePath } = options;
  return {
    kind: "api",
    options: {
      authorize: ({ connection }) => connection.remoteAddress === "127.0.0.1",
      clientWritable: ["theme"],
      ...(basePath === undefined ? {} : { basePath }),
    },
    ...(at === undefined ? {} : { at }),
  };
}

/** Where the API may stand among the rest. */
const PLACES: readonly { readonly where: string; readonly layers: readonly Layer[] }[] = [
  { where: "behind session()", layers: [SESSION, api()] },
  { where: "before session()", layers: [api(), SESSION] },
  { where: "behind session() and a body parser", layers: [PARSER, SESSION, api()] },
  { where: "behind a body parser, before session()", layers: [PARSER, api(), SESSION] },
];

/** Where the API may be mounted; each with the path that it then answers. */
const PREFIXES: readonly { readonly what: string; readonly layer: Layer; readonly base: string }[] =
  [
    {
      what: "at a prefix of its own",
      layer: api({ at: "/admin" }),
      base: "/admin/v1/sessions",
    },
    {
      what: "at a mount point that ends with its base path",
      layer: api({ at: "/admin/v1/sessions" }),
      base: "/admin/v1/sessions",
    },
    {
      what: "at its whole path",
      layer: api({ at: "/admin", basePath: "/admin/sessions" }),
      base: "/admin/sessions",
    },
  ];

function post(client: Client, path: string, body: unknown, ask: Ask = {}): Promise<Answer> {
  return client.ask(path, {
    method: "POST",
    ...ask,
    headers: { "Content-Type": "application/json", ...ask.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Makes a session for a user, as an administrator does. */
async function createFor(app: App, base: string): Promise<void> {
  const administrator = app.newcomer();
  const answer = await post(administrator, base, {
    user_id: "user123",
    metadata: { role: "beta_tester" },
  });
  expect(answer.status).toBe(201);
  expect(answer.setCookies.filter((line) => line.includes("user123"))).toEqual([]);
  const { token, session_id: id } = answer.json<{ token: string; session_id: string }>();
  expect((await app.manager.get(id))?.metadata).toEqual({ role: "beta_tester" });
  const user = app.newcomer();
  user.cookies.set("kyb_session_id", token);
  expect(await user.read()).toMatchObject({ id, userId: "user123" });
  expect((await administrator.read()).userId).toBeNull();
}

function eachPlace(
  make: (where: string, options: Pick<AppOptions, "layers">) => Omit<AdapterCase, "topic">,
): readonly Omit<AdapterCase, "topic">[] {
  return PLACES.map(({ where, layers }) => make(where, { layers }));
}

export const managementApiCases: readonly AdapterCase[] = inTopic("management API", [
  ...eachPlace((where, options) => ({
    name: `a visitor is shown the own session (${where})`,
    async run(bench) {
      const app = await bench.start(options);
      const { browser, id } = await app.visitor({ userId: "ann" });
      const answer = await browser.ask("/v1/sessions/current");
      expect(answer.status).toBe(200);
      expect(answer.json()).toMatchObject({
        success: true,
        session: { id, user_id: "ann", current: true },
      });
      expect(answer.setCookies).toEqual([]);
    },
  })),
  ...eachPlace((where, options) => ({
    name: `a session that is made for a user is the user's, and not the administrator's (${where}; R-08)`,
    async run(bench) {
      await createFor(await bench.start(options), "/v1/sessions");
    },
  })),
  ...eachPlace((where, options) => ({
    name: `a newcomer who asks for a session gets one with its cookie, and the data that a client may set (${where})`,
    async run(bench) {
      const app = await bench.start(options);
      const browser = app.newcomer();
      const answer = await post(browser, "/v1/sessions", { metadata: { theme: "dark" } });
      expect(answer.status).toBe(201);
      expect(answer.setCookies).toHaveLength(1);
      expect(answer.json()).not.toHaveProperty("token");
      const { session_id: id } = answer.json<{ session_id: string }>();
      expect(await browser.read()).toMatchObject({ id, isNew: false, data: { theme: "dark" } });
    },
  })),
  ...eachPlace((where, options) => ({
    name: `who ends the own session is signed out, and the cookie goes (${where})`,
    async run(bench) {
      const app = await bench.start(options);
      const { browser, id } = await app.visitor({ userId: "ann" });
      const answer = await browser.ask(`/v1/sessions?session_id=${id}`, { method: "DELETE" });
      expect(answer.json()).toMatchObject({ success: true, count: 1 });
      expect(browser.cookie).toBeUndefined();
      expect((await app.manager.get(id))?.endReason).toBe("signed-out");
    },
  })),
  ...eachPlace((where, options) => ({
    name: `requests to the API stand in no timeline and no count (${where})`,
    async run(bench) {
      const app = await bench.start(options);
      const { browser, id } = await app.visitor();
      await browser.ask("/v1/sessions/current");
      await browser.ask("/v1/sessions/metrics");
      await browser.ask("/quiet");
      expect((await app.entry(id)).endpoint).toBe("/quiet");
      expect((await app.manager.get(id))?.requestCount).toBe(1);
      expect((await app.manager.metrics()).totalRequests).toBe(1);
    },
  })),
  {
    name: "a newcomer behind session() who asks for the own session has one, and who asks for anything else has none",
    async run(bench) {
      const app = await bench.start({ layers: [SESSION, api()] });
      const numbers = await app.newcomer().ask("/v1/sessions/metrics");
      expect(numbers.status).toBe(200);
      expect(numbers.setCookies).toEqual([]);
      expect(await app.count()).toBe(0);
      const browser = app.newcomer();
      const own = await browser.ask("/v1/sessions/current");
      expect(own.setCookies).toHaveLength(1);
      const { id } = await browser.read();
      expect(own.json()).toMatchObject({ session: { id, current: true } });
    },
  },
  {
    name: "without session() a newcomer who asks for the own session is told that there is none, and gets none",
    async run(bench) {
      const app = await bench.start({ layers: [api(), SESSION] });
      const answer = await app.newcomer().ask("/v1/sessions/current");
      expect(answer.status).toBe(404);
      expect(answer.setCookies).toEqual([]);
      expect(await app.count()).toBe(0);
    },
  },
  ...PREFIXES.map(
    ({ what, layer, base }) =>
      ({
        name: `it answers ${what}, with and without session() before it`,
        needs: "mount points",
        async run(bench) {
          for (const layers of [
            [SESSION, layer],
            [layer, SESSION],
          ]) {
            const app = await bench.start({ layers });
            const { browser, id } = await app.visitor();
            const answer = await browser.ask(`${base}/current`);
            expect(answer.json()).toMatchObject({ success: true, session: { id } });
            await createFor(app, base);
            expect((await browser.ask("/quiet")).text).toBe("quiet");
            expect((await browser.ask("/v1/sessionsx/current")).status).toBe(404);
          }
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "at a base path of its own it answers there and nowhere else",
    async run(bench) {
      const app = await bench.start({ layers: [SESSION, api({ basePath: "/admin/sessions" })] });
      const { browser, id } = await app.visitor();
      expect((await browser.ask("/admin/sessions/current")).json()).toMatchObject({
        session: { id },
      });
      for (const path of ["/v1/sessions/current", "/admin/sessionsx", "/admin"]) {
        const answer = await browser.ask(path);
        expect(answer.status).toBe(404);
        expect(answer.text).not.toContain('"success"');
      }
    },
  },
  {
    name: "an encoded path is the same path as everywhere else, and an encoded slash is no slash (R-66)",
    async run(bench) {
      const app = await bench.start({ layers: [SESSION, api()] });
      const { browser, id } = await app.visitor();
      const answer = await browser.ask("/v1/sess%69ons/current");
      expect(answer.json()).toMatchObject({ session: { id } });
      const other = await browser.ask("/v1%2Fsessions/current");
      expect(other.status).toBe(404);
      expect(other.text).not.toContain('"success"');
    },
  },
  {
    name: "behind session() it uses that visit: one look into the store",
    async run(bench) {
      const app = await bench.start({ store: "gated", layers: [SESSION, api()] });
      const { browser } = await app.visitor();
      const calls = app.store.calls("find");
      expect((await browser.ask("/v1/sessions/current")).status).toBe(200);
      expect(app.store.calls("find") - calls).toBe(1);
    },
  },
  ...eachPlace((where, options) => ({
    name: `a change that another site asks for is refused (${where}; R-53)`,
    async run(bench) {
      const app = await bench.start(options);
      const { browser, id } = await app.visitor();
      const foreign = [
        { "Sec-Fetch-Site": "cross-site" },
        { Origin: "https://evil.example" },
        { Origin: "null" },
      ];
      for (const headers of foreign) {
        const answer = await browser.ask(`/v1/sessions?session_id=${id}`, {
          method: "DELETE",
          headers,
        });
        expect(answer.status).toBe(403);
      }
      expect((await app.manager.get(id))?.isActive).toBe(true);
      const headers = { Origin: app.origin };
      const own = await browser.ask(`/v1/sessions?session_id=${id}`, { method: "DELETE", headers });
      expect(own.status).toBe(200);
    },
  })),
  {
    name: "bodies of another type, broken ones and those that are too long are refused, and the connection goes on (R-56)",
    async run(bench) {
      for (const layers of [
        [SESSION, api()],
        [api(), SESSION],
      ]) {
        const app = await bench.start({ layers });
        const client = app.client(1);
        const strange = await post(client, "/v1/sessions", "user_id=ann", {
          headers: { "Content-Type": "application/x-www-form-urlencoded" },
        });
        expect(strange.status).toBe(415);
        expect((await post(client, "/v1/sessions", "{")).status).toBe(400);
        const long = { metadata: { a: "x".repeat(70_000) } };
        expect((await post(client, "/v1/sessions", long)).status).toBe(413);
        expect((await client.ask("/quiet")).text).toBe("quiet");
      }
    },
  },
  {
    name: "HEAD, unknown routes and wrong methods are answered by the API, never stored and never guessed (R-55, R-64)",
    async run(bench) {
      const app = await bench.start({ layers: [SESSION, api()] });
      const { browser } = await app.visitor();
      const head = await browser.ask("/v1/sessions/current", { method: "HEAD" });
      const missing = await browser.ask("/v1/sessions/nothing");
      const wrong = await browser.ask("/v1/sessions/current", { method: "PUT", body: "{}" });
      expect([head.status, missing.status, wrong.status]).toEqual([200, 404, 405]);
      expect(wrong.get("allow")).toContain("GET");
      expect(head.size).toBe(0);
      for (const answer of [head, missing, wrong]) {
        expect(answer.get("cache-control")).toBe("no-store");
        expect(answer.get("x-content-type-options")).toBe("nosniff");
      }
    },
  },
  {
    name: "an outage is answered 503 with Retry-After, and no cookie is touched",
    async run(bench) {
      const app = await bench.start({ store: "gated", layers: [api()] });
      const { browser } = await app.visitor();
      app.store.break("find", "throws");
      const answer = await browser.ask("/v1/sessions/current");
      expect(answer.status).toBe(503);
      expect(answer.get("retry-after")).toBe("1");
      expect(answer.json()).toMatchObject({ success: false, code: "STORE_UNAVAILABLE" });
      expect(answer.setCookies).toEqual([]);
    },
  },
]);
