import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { repliesOf } from "../replies.ts";
import { text } from "../reply.ts";
import { parameters } from "../routes.ts";

const TOKEN = /^[\w-]{32}\.[\w-]{43}$/;
/** What a proxy says of a client that speaks https to it. */
const BEHIND_TLS = { headers: { "X-Forwarded-Proto": "https" } };
const TRUSTING = { trustProxy: ["127.0.0.1"] };

/** A `Set-Cookie` line in parts; the order of the attributes means nothing. */
function parts(line = ""): { name: string; value: string; attributes: string[] } {
  const [pair = "", ...attributes] = line.split("; ");
  const [name = "", value = ""] = pair.split("=");
  return { name, value, attributes: attributes.toSorted() };
}

export const cookieCases: readonly AdapterCase[] = inTopic("cookie", [
  {
    name: "over http a visitor gets one cookie: the bare name, Path, HttpOnly and SameSite=Strict, and nothing else (R-11, R-13)",
    async run(bench) {
      const app = await bench.start();
      const { setCookies } = await app.newcomer().ask("/read");
      expect(setCookies).toHaveLength(1);
      const { name, value, attributes } = parts(setCookies[0]);
      expect(name).toBe("kyb_session_id");
      expect(value).toMatch(TOKEN);
      expect(attributes).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
    },
  },
  {
    name: "over https, as a trusted proxy says, the cookie is __Host-kyb_session_id and Secure (R-11)",
    async run(bench) {
      const app = await bench.start({ config: TRUSTING });
      const { setCookies } = await app.newcomer().ask("/read", BEHIND_TLS);
      expect(setCookies).toHaveLength(1);
      const { name, value, attributes } = parts(setCookies[0]);
      expect(name).toBe("__Host-kyb_session_id");
      expect(value).toMatch(TOKEN);
      expect(attributes).toEqual(["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
    },
  },
  {
    name: "an https publicUrl makes the cookie Secure whatever the connection looks like (R-11)",
    async run(bench) {
      const app = await bench.start({ config: { publicUrl: "https://shop.example" } });
      const { setCookies } = await app.newcomer().ask("/read");
      expect(setCookies.map((line) => parts(line).name)).toEqual(["__Host-kyb_session_id"]);
    },
  },
  {
    name: "an X-Forwarded-Proto that nobody vouches for changes nothing and is warned of once (R-13, R-47)",
    async run(bench) {
      const app = await bench.start();
      for (let round = 0; round < 2; round++) {
        const { setCookies } = await app.newcomer().ask("/read", BEHIND_TLS);
        expect(setCookies.map((line) => parts(line).name)).toEqual(["kyb_session_id"]);
      }
      const warnings = app.heard("config-warning").map(({ kind }) => kind);
      expect(warnings.filter((kind) => kind === "forwarded-proto")).toHaveLength(1);
    },
  },
  {
    name: "over https the bare name is not read, over http the prefixed one is not (R-13)",
    async run(bench) {
      const app = await bench.start({ config: TRUSTING });
      const { session, token } = await app.manager.create();
      const idOf = async (name: string, headers: Readonly<Record<string, string>>) => {
        const answer = await app
          .client()
          .ask("/read", { headers: { Cookie: `${name}=${token}`, ...headers } });
        return answer.json<{ id: string }>().id;
      };
      expect(await idOf("__Host-kyb_session_id", BEHIND_TLS.headers)).toBe(session.id);
      expect(await idOf("kyb_session_id", BEHIND_TLS.headers)).not.toBe(session.id);
      expect(await idOf("kyb_session_id", {})).toBe(session.id);
      expect(await idOf("__Host-kyb_session_id", {})).not.toBe(session.id);
    },
  },
  {
    name: "a cookie that has come back is not set again, whatever the request does with the data",
    async run(bench) {
      const app = await bench.start();
      const browser = app.newcomer();
      const { id } = await browser.read();
      for (const path of ["/read", "/set?a=1", "/quiet"]) {
        expect((await browser.ask(path)).setCookies).toEqual([]);
      }
      expect(await browser.read()).toMatchObject({ id, isNew: false, data: { a: "1" } });
    },
  },
  {
    name: "a persistent cookie carries Max-Age when a secret is issued and never again (R-20)",
    async run(bench) {
      const app = await bench.start({ config: { cookie: { maxAge: "1h" } } });
      const browser = app.newcomer();
      const first = await browser.ask("/read");
      expect(parts(first.setCookies[0]).attributes).toContain("Max-Age=3600");
      expect((await browser.ask("/set?a=1")).setCookies).toEqual([]);
      const { setCookies } = await browser.ask("/sign-in");
      expect(parts(setCookies[0]).attributes).toContain("Max-Age=3600");
    },
  },
  {
    name: "sign-out clears the cookie with the attributes that it was set with, in every variant, each in a line of its own (R-19)",
    async run(bench) {
      const app = await bench.start({ config: { ...TRUSTING, cookie: { partitioned: true } } });
      const browser = app.newcomer();
      const given = await browser.ask("/sign-in", BEHIND_TLS);
      const gone = await browser.ask("/sign-out", BEHIND_TLS);
      const { name, attributes } = parts(given.setCookies[0]);
      expect(attributes).toContain("Partitioned");
      const ending = ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"];
      const clearing = (kept: readonly string[]) => ({
        name,
        value: "",
        attributes: [...kept, ...ending].toSorted(),
      });
      expect(gone.setCookies.map(parts)).toEqual([
        clearing(attributes),
        clearing(attributes.filter((attribute) => attribute !== "Partitioned")),
      ]);
      expect(browser.cookie).toBeUndefined();
    },
  },
  {
    name: "other Set-Cookie lines survive, in order and unfolded, with every kind of body (R-15)",
    async run(bench) {
      const cookies = ["b=2; Path=/", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "b=3; Path=/x"];
      const replies = repliesOf({ cookies });
      const app = await bench.start({
        routes: {
          "/": async (context) => {
            context.session.set("a", 1);
            return replies(parameters(context).get("kind"));
          },
        },
      });
      for (const kind of replies.kinds) {
        const { setCookies } = await app.newcomer().ask(`/?kind=${kind}`);
        const isSession = (line: string) => line.startsWith("kyb_session_id=");
        expect(
          setCookies.filter((line) => !isSession(line)),
          kind,
        ).toEqual(cookies);
        expect(setCookies.filter(isSession), kind).toHaveLength(1);
      }
    },
  },
  {
    name: "other Set-Cookie lines survive where the session has none to set (R-15)",
    async run(bench) {
      const cookies = ["a=1; Path=/", "b=2; Path=/"];
      const app = await bench.start({ routes: { "/": async () => text("", { cookies }) } });
      const { browser } = await app.visitor();
      expect((await browser.ask("/")).setCookies).toEqual(cookies);
    },
  },
  {
    name: "a sign-in on the first visit sets one session cookie, that of the sign-in (R-15)",
    async run(bench) {
      const app = await bench.start();
      const browser = app.newcomer();
      const { setCookies } = await browser.ask("/sign-in");
      expect(setCookies).toHaveLength(1);
      expect(await browser.read()).toMatchObject({ userId: "ann", isNew: false });
    },
  },
  {
    name: "with create: 'write' a visitor gets a cookie with the first thing that is stored, and not before",
    async run(bench) {
      const app = await bench.start({ config: { create: "write" } });
      const browser = app.newcomer();
      expect((await browser.ask("/read")).setCookies).toEqual([]);
      expect(await app.count()).toBe(0);
      expect((await browser.ask("/set?a=1")).setCookies).toHaveLength(1);
      expect((await browser.read()).data).toEqual({ a: "1" });
      expect(await app.count()).toBe(1);
    },
  },
]);
