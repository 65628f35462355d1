import { describe, expect, it } from "vitest";
import { resolveCookie } from "../src/cookie.ts";
import type { Credentials } from "../src/credentials.ts";
import { readCredentials } from "../src/credentials.ts";
import { parseDuration } from "../src/duration.ts";
import type { Transport } from "../src/record.ts";
import { failureOf, World } from "./support/world.ts";

const ID = "i".repeat(32);
const SECRET = "s".repeat(43);
const TOKEN = `${ID}.${SECRET}`;
const OTHER = `${"j".repeat(32)}.${SECRET}`;
const COOKIE = `__Host-kyb_session_id=${TOKEN}`;
const ALL: readonly Transport[] = ["cookie", "bearer", "header"];

describe("reading credentials", () => {
  it("finds nothing where there is nothing", () => {
    expect(read({})).toEqual({ kind: "none" });
  });

  const found: [title: string, transport: Transport, headers: Record<string, string>][] = [
    ["a cookie", "cookie", { cookie: COOKIE }],
    ["a bearer", "bearer", { authorization: `Bearer ${TOKEN}` }],
    [
      "a bearer whose scheme is written otherwise",
      "bearer",
      { authorization: `bEARER   ${TOKEN} ` },
    ],
    ["X-Session-ID", "header", { "x-session-id": ` ${TOKEN} ` }],
  ];
  for (const [title, transport, headers] of found) {
    it(`finds ${title} where that transport is on`, () => {
      const token = { id: ID, secret: SECRET };
      expect(read(headers)).toEqual({ kind: "token", token, transport });
    });

    it(`does not look for ${title} where that transport is off (R-07)`, () => {
      const others = ALL.filter((other) => other !== transport);
      expect(read(headers, others)).toEqual({ kind: "none" });
    });
  }

  it("never looks into the URL (R-06)", () => {
    const url = `https://shop.example/?kyb_session_id=${TOKEN}&session=${TOKEN}&access_token=${TOKEN}`;
    expect(read({}, ALL, url)).toEqual({ kind: "none" });
  });

  const foreign: [title: string, headers: Record<string, string>][] = [
    ["another scheme", { authorization: `Basic ${TOKEN}` }],
    ["a bearer of another form", { authorization: "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln" }],
    ["a bearer without a token", { authorization: "Bearer" }],
    ["a token without a scheme", { authorization: TOKEN }],
    ["a repeated X-Session-ID", { "x-session-id": `${TOKEN}, ${TOKEN}` }],
    ["the bare cookie over https", { cookie: `kyb_session_id=${TOKEN}` }],
  ];
  for (const [title, headers] of foreign) {
    it(`leaves ${title} alone`, () => {
      expect(read(headers)).toEqual({ kind: "none" });
    });
  }

  it("lets a bearer of another form stand beside our cookie", () => {
    expect(read({ cookie: COOKIE, authorization: "Bearer abc" })).toMatchObject({
      kind: "token",
      transport: "cookie",
    });
  });

  it("calls two cookies of our name a duplicate, also equal ones (R-18)", () => {
    expect(read({ cookie: `${COOKIE}; ${COOKIE}` })).toEqual({ kind: "duplicate" });
    expect(read({ cookie: `${COOKIE}; __Host-kyb_session_id=x` })).toEqual({ kind: "duplicate" });
  });

  it("calls tokens on two transports a conflict, also equal ones (R-07)", () => {
    const conflict = { kind: "conflict" };
    expect(read({ cookie: COOKIE, authorization: `Bearer ${OTHER}` })).toEqual(conflict);
    expect(read({ cookie: COOKIE, authorization: `Bearer ${TOKEN}` })).toEqual(conflict);
    expect(read({ cookie: COOKIE, "x-session-id": OTHER })).toEqual(conflict);
    expect(read({ authorization: `Bearer ${TOKEN}`, "x-session-id": OTHER })).toEqual(conflict);
  });
});

describe("a request with two tokens (R-07)", () => {
  it("is refused with 400 and an event, and none of the two is looked up", async () => {
    const world = new World({ transports: ["cookie", "bearer"] });
    const browser = world.browser();
    await browser.request();
    const { token } = await world.manager.create({ transport: "bearer" });
    const error = await failureOf(browser.open({ headers: { authorization: `Bearer ${token}` } }));
    expect(error).toMatchObject({ code: "CREDENTIALS_CONFLICT", status: 400 });
    expect((error as Error).message).not.toContain(token);
    expect(world.events("withheld")).toEqual([{ reason: "credentials-conflict", key: undefined }]);
  });
});

describe("a token (R-07)", () => {
  for (const made of ALL) {
    for (const used of ALL) {
      it(`that was made for ${made} ${made === used ? "works" : "does not work"} as ${used}`, async () => {
        const world = new World({ transports: ALL, create: "write" });
        const { token, session } = await world.manager.create({ userId: "alice", transport: made });
        const visit = await world.browser().open(presented(token, used));
        expect(visit.session.id).toBe(made === used ? session.id : "");
        expect(visit.session.userId).toBe(made === used ? "alice" : undefined);
        expect(world.events("unknown-token")).toHaveLength(made === used ? 0 : 1);
      });
    }
  }

  it("is made for the first of the transports unless somebody says otherwise", async () => {
    const world = new World({ transports: ["header", "cookie"] });
    const { token, session } = await world.manager.create({ userId: "alice" });
    const visit = await world.browser().open(presented(token, "header"));
    expect(visit.session.id).toBe(session.id);
  });

  it("cannot be made for a transport that is off", async () => {
    const world = new World();
    await expect(world.manager.create({ transport: "bearer" })).rejects.toThrow("transport");
  });
});

describe("an application without cookies", () => {
  const world = (): World => new World({ transports: ["bearer"] });

  it("makes no session of itself", async () => {
    const visitor = world();
    const { setCookies, session } = await visitor.browser().request();
    expect(setCookies).toEqual([]);
    expect(session.id).toBe("");
    expect((await visitor.manager.list()).total).toBe(0);
  });

  it("tells a handler that signs in how to hand out tokens", async () => {
    const visit = await world().browser().open();
    expect(await failureOf(visit.session.signIn("alice"))).toMatchObject({ code: "UNSUPPORTED" });
  });

  for (const transport of ["bearer", "header"] as const) {
    it(`never changes the secret of a session that came as ${transport}: nobody could hand it out`, async () => {
      const mixed = new World({ transports: ALL });
      const { token, session } = await mixed.manager.create({ userId: "alice", transport });
      const { setCookies } = await mixed.browser().request(
        async (current) => {
          for (const change of [
            () => current.signIn("alice"),
            () => current.signIn("bob"),
            () => current.regenerate(),
          ]) {
            expect(await failureOf(change())).toMatchObject({ code: "UNSUPPORTED", status: 501 });
          }
          expect(current.userId).toBe("alice");
        },
        presented(token, transport),
      );
      expect(setCookies).toEqual([]);
      const again = await mixed.browser().open(presented(token, transport));
      expect(again.session).toMatchObject({ id: session.id, userId: "alice" });
    });

    it(`clears no cookie where a session that came as ${transport} signs out`, async () => {
      const mixed = new World({ transports: ALL });
      const { token, session } = await mixed.manager.create({ userId: "alice", transport });
      const { setCookies } = await mixed
        .browser()
        .request((current) => current.signOut(), presented(token, transport));
      expect(setCookies).toEqual([]);
      expect(await mixed.manager.get(session.id)).toMatchObject({ endReason: "signed-out" });
    });
  }

  it("never sets a cookie for a session that came with a bearer", async () => {
    const bearers = world();
    const { token } = await bearers.manager.create({ userId: "alice" });
    const { setCookies } = await bearers.browser().request(
      (session) => {
        session.set("a", 1);
      },
      presented(token, "bearer"),
    );
    expect(setCookies).toEqual([]);
    expect((await bearers.manager.list({ userId: "alice" })).items[0]?.metadata).toEqual({ a: 1 });
  });
});

function read(
  headers: Record<string, string>,
  transports: readonly Transport[] = ALL,
  url = "/",
): Credentials {
  const cookie = resolveCookie(undefined, parseDuration);
  return readCredentials(
    { cookie, transports },
    { method: "GET", url, headers: new Headers(headers) },
    true,
  );
}

function presented(
  token: string,
  transport: Transport,
): { cookie?: string; headers?: Record<string, string> } {
  switch (transport) {
    case "cookie":
      return { cookie: `__Host-kyb_session_id=${token}` };
    case "bearer":
      return { headers: { authorization: `Bearer ${token}` } };
    case "header":
      return { headers: { "x-session-id": token } };
  }
}
