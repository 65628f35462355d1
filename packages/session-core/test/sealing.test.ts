import { describe, expect, it } from "vitest";
import { failureOf, World } from "./support/world.ts";

describe("sealing a response", () => {
  it("adds our cookie after the application's own, in order (R-15)", async () => {
    const visit = await new World().browser().open();
    const headers = new Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    await visit.commit();
    visit.seal(headers);
    const values = headers.getSetCookie();
    expect(values.slice(0, 2)).toEqual(["a=1", "b=2"]);
    expect(values[2]).toContain("__Host-kyb_session_id=");
    expect(values).toHaveLength(3);
  });

  it("writes once, however often it is called", async () => {
    const visit = await new World().browser().open();
    const headers = new Headers();
    visit.seal(headers);
    visit.seal(headers);
    expect(headers.getSetCookie()).toHaveLength(1);
  });

  it("answers from commit what it will write", async () => {
    const visit = await new World().browser().open();
    const values = await visit.commit();
    const headers = new Headers();
    visit.seal(headers);
    expect(headers.getSetCookie()).toEqual(values);
  });

  const caching: [title: string, given: string | undefined, sealed: string | null][] = [
    ["forbids to store a response with a cookie", undefined, "no-store"],
    ["replaces what would let others have it", "public, max-age=60", "no-store"],
    ["leaves no-store", "no-store", "no-store"],
    ["leaves private", "Private, max-age=60", "Private, max-age=60"],
  ];
  for (const [title, given, sealed] of caching) {
    it(`${title} (R-82)`, async () => {
      const visit = await new World().browser().open();
      const headers = new Headers(given === undefined ? {} : { "cache-control": given });
      visit.seal(headers);
      expect(headers.get("cache-control")).toBe(sealed);
    });
  }

  it("leaves caching alone where there is no cookie to set", async () => {
    const browser = await new World().signedIn("alice");
    const visit = await browser.open();
    const headers = new Headers({ "cache-control": "public, max-age=60" });
    visit.seal(headers);
    expect(headers.get("cache-control")).toBe("public, max-age=60");
  });

  it("says nothing of cookies where the handler never looked at the session", async () => {
    const browser = await new World().signedIn("alice");
    const visit = await browser.open();
    visit.session.set("seen", true);
    const headers = new Headers();
    await visit.commit();
    visit.seal(headers);
    expect(headers.get("vary")).toBe(null);
  });

  const looks: [
    title: string,
    look: (session: Awaited<ReturnType<typeof sessionOf>>) => unknown,
  ][] = [
    ["get", (session) => session.get("cart")],
    ["metadata", (session) => session.metadata],
    ["userId", (session) => session.userId],
    ["id", (session) => session.id],
    ["isNew", (session) => session.isNew],
    ["state", (session) => session.state],
    ["isActive", (session) => session.isActive],
    ["requestCount", (session) => session.requestCount],
    ["lastAccessTime", (session) => session.lastAccessTime],
    ["lastActivityTime", (session) => session.lastActivityTime],
    ["createdAt", (session) => session.createdAt],
    ["expiresAt", (session) => session.expiresAt],
    ["endedAt", (session) => session.endedAt],
    ["endReason", (session) => session.endReason],
    ["ipAddress", (session) => session.ipAddress],
    ["userAgent", (session) => session.userAgent],
    ["JSON", (session) => JSON.stringify(session)],
    ["update", (session) => session.update("n", () => 1)],
    ["devices", (session) => session.devices()],
  ];
  for (const [title, look] of looks) {
    it(`says that the response depends on the cookie, where the handler looked at ${title} (R-82)`, async () => {
      for (const browser of [
        new World({ create: "write" }).browser(),
        await new World().signedIn("alice"),
      ]) {
        const visit = await browser.open();
        await look(visit.session);
        await visit.commit();
        const headers = new Headers();
        visit.seal(headers);
        expect(headers.get("vary")).toBe("Cookie");
      }
    });
  }

  const varied: [given: string, sealed: string][] = [
    ["Accept-Encoding", "Accept-Encoding, Cookie"],
    ["cookie", "cookie"],
    ["Origin, Cookie", "Origin, Cookie"],
    ["*", "*"],
    ["X-Cookie", "X-Cookie, Cookie"],
  ];
  for (const [given, sealed] of varied) {
    it(`makes Vary: ${sealed} of Vary: ${given}`, async () => {
      const visit = await new World().browser().open();
      visit.session.get("a");
      const headers = new Headers({ vary: given });
      visit.seal(headers);
      expect(headers.get("vary")).toBe(sealed);
    });
  }

  it("names the header of every transport that is on (R-82)", async () => {
    const world = new World({ transports: ["bearer", "header", "cookie"] });
    const visit = await world.browser().open();
    visit.session.get("a");
    const headers = new Headers({ vary: "authorization" });
    visit.seal(headers);
    expect(headers.get("vary")).toBe("authorization, X-Session-ID, Cookie");
  });
});

describe("after the headers have left", () => {
  it("a change of the cookie throws HEADERS_SENT, and nothing has happened", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.seal(new Headers());
    for (const change of [() => visit.session.signIn("bob"), () => visit.session.regenerate()]) {
      expect(await failureOf(change())).toMatchObject({ code: "HEADERS_SENT", status: 500 });
    }
    await visit.commit();
    visit.finish({ status: 200, responseSize: 0 });
    expect((await browser.request()).session.userId).toBe("alice");
  });

  it("a new session throws HEADERS_SENT where it is made: at the first write", async () => {
    const world = new World({ create: "write" });
    const visit = await world.browser().open();
    visit.seal(new Headers());
    for (const write of [
      () => visit.session.set("a", 1),
      () => visit.session.increment("a"),
      () => visit.session.update("a", () => 1),
      () => visit.ensure(),
    ]) {
      expect(await failureOf(async () => write())).toMatchObject({ code: "HEADERS_SENT" });
    }
    expect(visit.isDirty).toBe(false);
    expect(await visit.commit()).toEqual([]);
    expect((await world.manager.list()).total).toBe(0);
  });

  it("`set` is still stored", async () => {
    const browser = await new World().signedIn("alice");
    const visit = await browser.open();
    visit.seal(new Headers());
    visit.session.set("progress", 100);
    await visit.commit();
    visit.finish({ status: 200, responseSize: 0 });
    expect((await browser.request()).session.get("progress")).toBe(100);
  });

  it("`signOut` still ends the session, and the old cookie is no good any more", async () => {
    const world = new World();
    const browser = await world.signedIn("alice");
    const visit = await browser.open();
    visit.seal(new Headers());
    await visit.session.signOut();
    expect((await browser.request()).session.userId).toBeUndefined();
    expect(world.events("ended")).toMatchObject([{ reason: "signed-out" }]);
  });
});

async function sessionOf() {
  return (await new World().browser().open()).session;
}
