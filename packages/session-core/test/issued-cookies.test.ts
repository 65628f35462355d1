import { describe, expect, it } from "vitest";
import type { SessionConfig } from "../src/config.ts";
import type { Bag } from "./support/browser.ts";
import { DAY, HOUR, MINUTE } from "./support/clock.ts";
import { World } from "./support/world.ts";

const TOKEN = "[\\w-]{32}\\.[\\w-]{43}";

async function setCookieOf(
  config: SessionConfig<Bag>,
  secure: boolean,
  headers: Record<string, string> = {},
): Promise<{ world: World; cookie: string }> {
  const world = new World(config);
  const { setCookies } = await world
    .browser({ secure, headers, remoteAddress: "10.0.0.9" })
    .request();
  expect(setCookies).toHaveLength(1);
  return { world, cookie: setCookies[0] ?? "" };
}

describe("the session cookie", () => {
  it("is, over https, exactly this (R-11)", async () => {
    const { cookie } = await setCookieOf({}, true);
    expect(cookie).toMatch(
      new RegExp(`^__Host-kyb_session_id=${TOKEN}; Path=/; HttpOnly; Secure; SameSite=Strict$`),
    );
  });

  it("is, over http, exactly this, with a warning (R-13)", async () => {
    const { world, cookie } = await setCookieOf({}, false);
    expect(cookie).toMatch(
      new RegExp(`^kyb_session_id=${TOKEN}; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect(world.events("config-warning")).toMatchObject([{ kind: "insecure-cookie" }]);
  });

  for (const host of [
    "localhost",
    "localhost:3000",
    "127.0.0.1:80",
    "127.1.2.3",
    "[::1]",
    "[::1]:8080",
  ]) {
    it(`goes without that warning over http where the host is ${host}`, async () => {
      const { world } = await setCookieOf({}, false, { host });
      expect(world.events("config-warning")).toEqual([]);
    });
  }

  for (const host of ["localhost.evil.example", "127.0.0.1.evil.example", "evil-localhost"]) {
    it(`goes with that warning over http where the host is ${host}`, async () => {
      const { world } = await setCookieOf({}, false, { host });
      expect(world.events("config-warning")).toHaveLength(1);
    });
  }

  it("warns once, not with every visitor", async () => {
    const world = new World();
    for (let visitor = 0; visitor < 5; visitor++) await world.browser({ secure: false }).request();
    expect(world.events("config-warning")).toHaveLength(1);
  });

  it("is never read under the bare name over https, nor under the prefixed one over http (R-13)", async () => {
    const world = new World();
    const [https, http] = [world.browser(), world.browser({ secure: false })];
    await https.request((session) => session.signIn("alice"));
    await http.request((session) => session.signIn("bob"));
    const crossed = await https.request(undefined, { cookie: `kyb_session_id=${https.token}` });
    expect(crossed.session.userId).toBeUndefined();
    const back = await http.request(undefined, { cookie: `__Host-kyb_session_id=${http.token}` });
    expect(back.session.userId).toBeUndefined();
  });

  it("has the bare name with Secure where a domain or a path forbids the prefix", async () => {
    const { cookie } = await setCookieOf({ cookie: { domain: "shop.example" } }, true);
    expect(cookie).toMatch(/^kyb_session_id=.*; Domain=shop\.example; .*Secure/);
    const path = await setCookieOf({ cookie: { path: "/shop" } }, true);
    expect(path.cookie).toMatch(/^kyb_session_id=.*Path=\/shop; .*Secure/);
  });

  it("is secure over a plain connection where publicUrl is https", async () => {
    const { world, cookie } = await setCookieOf({ publicUrl: "https://shop.example" }, false);
    expect(cookie).toContain("__Host-kyb_session_id=");
    expect(world.events("config-warning")).toEqual([]);
  });

  it("is secure over a plain connection where `secure` asserts it", async () => {
    const { cookie } = await setCookieOf({ cookie: { secure: true } }, false);
    expect(cookie).toContain("__Host-kyb_session_id=");
  });

  it("is secure where a trusted proxy says so", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5" };
    const { world, cookie } = await setCookieOf({ trustProxy: ["10.0.0.0/8"] }, false, headers);
    expect(cookie).toContain("__Host-kyb_session_id=");
    expect((await world.manager.list()).items[0]?.ipAddress).toBe("203.0.113.5");
    expect(world.events("config-warning")).toEqual([]);
  });

  it("is not secure where anybody says so; a warning names trustProxy and publicUrl, once", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5" };
    const { world, cookie } = await setCookieOf({}, false, headers);
    expect(cookie.startsWith("kyb_session_id=")).toBe(true);
    expect((await world.manager.list()).items[0]?.ipAddress).toBe("10.0.0.9");
    await world.browser({ secure: false, headers }).request();
    const warnings = world.events("config-warning");
    expect(warnings).toMatchObject([{ kind: "forwarded-proto" }]);
    expect(warnings[0]?.message).toContain("trustProxy");
    expect(warnings[0]?.message).toContain("publicUrl");
  });

  it("is that of the plain connection where a trusted proxy says http", async () => {
    const { cookie } = await setCookieOf({ trustProxy: 1 }, true, { "x-forwarded-proto": "http" });
    expect(cookie.startsWith("kyb_session_id=")).toBe(true);
  });

  it("has no Max-Age by default", async () => {
    expect((await setCookieOf({}, true)).cookie).not.toContain("Max-Age");
  });

  it("lasts to the absolute end with maxAge 'absolute', and as long as is left of it (R-20)", async () => {
    const world = new World({
      cookie: { maxAge: "absolute" },
      absoluteTimeout: "10d",
      sessionTimeout: "5d",
    });
    const browser = world.browser();
    const first = await browser.request();
    expect(first.setCookies[0]).toContain(`Max-Age=${(10 * DAY) / 1000};`);
    await browser.request();
    world.clock.advance(4 * DAY);
    expect((await browser.request()).setCookies).toEqual([]);
    const second = await browser.request((session) => session.regenerate());
    expect(second.setCookies[0]).toContain(`Max-Age=${(6 * DAY) / 1000};`);
    const third = await browser.request((session) => session.signIn("alice"));
    expect(third.setCookies[0]).toContain(`Max-Age=${(10 * DAY) / 1000};`);
  });

  it("lasts as long as maxAge, but not beyond the absolute end (R-20)", async () => {
    const config = {
      cookie: { maxAge: "7d" },
      absoluteTimeout: "10d",
      sessionTimeout: "9d",
    } as const;
    const world = new World(config);
    const browser = world.browser();
    expect((await browser.request()).setCookies[0]).toContain(`Max-Age=${(7 * DAY) / 1000};`);
    await browser.request();
    world.clock.advance(8 * DAY);
    const { setCookies } = await browser.request((session) => session.regenerate());
    expect(setCookies[0]).toContain(`Max-Age=${(2 * DAY) / 1000};`);
  });

  it("is sent again only when a secret is issued, never to slide (R-20)", async () => {
    const world = new World({ cookie: { maxAge: "1h" } });
    const browser = await world.signedIn("alice");
    for (let visit = 0; visit < 5; visit++) {
      world.clock.advance(10 * MINUTE);
      expect((await browser.request((session) => session.set("n", visit))).setCookies).toEqual([]);
    }
  });

  it("is one per response, the last one, whatever happened in it (R-15)", async () => {
    const browser = new World().browser();
    const { setCookies } = await browser.request(async (session) => {
      await session.regenerate();
      await session.signIn("alice");
      await session.regenerate();
      await session.signOut();
      await session.signIn("bob");
    });
    expect(setCookies).toHaveLength(1);
    expect((await browser.request()).session.userId).toBe("bob");
  });

  it("is cleared in both its variants where it is partitioned (R-19)", async () => {
    const world = new World({ cookie: { partitioned: true } });
    const browser = await world.signedIn("alice");
    const { setCookies } = await browser.request((session) => session.signOut());
    expect(setCookies).toHaveLength(2);
    expect(setCookies.filter((value) => value.includes("Partitioned"))).toHaveLength(1);
  });
});

describe("a session's hours", () => {
  it("end for a persistent cookie as for any other: the cookie is never the authority (R-20)", async () => {
    const world = new World({ cookie: { maxAge: "7d" }, sessionTimeout: "1h" });
    const browser = await world.signedIn("alice");
    world.clock.advance(HOUR);
    expect((await browser.request()).session.userId).toBeUndefined();
  });
});
