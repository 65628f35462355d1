import { afterEach, describe, expect, it } from "vitest";
import { SessionError } from "../src/errors.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Session } from "../src/session.ts";
import type { Bag } from "./support/browser.ts";
import { FailingStore } from "./support/failing-store.ts";
import { Client, type Handler } from "./support/fetch-client.ts";
import { failureOf, World } from "./support/world.ts";

describe("a wrapped handler", () => {
  it("has a session, and its answer the cookie", async () => {
    const client = new Client();
    const first = await client.send((_request, session) => {
      session.set("views", 1);
      return Response.json({ isNew: session.isNew });
    });
    expect(first.headers.getSetCookie()).toHaveLength(1);
    expect(first.headers.get("cache-control")).toBe("no-store");
    expect(await first.json()).toEqual({ isNew: true });
    const second = await client.send((_request, session) => {
      session.increment("views");
      return Response.json(session.metadata);
    });
    expect(await second.json()).toEqual({ views: 2 });
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(second.headers.get("vary")).toBe("Cookie");
  });

  it("may answer synchronously", async () => {
    expect((await new Client().send(() => new Response("ok"))).status).toBe(200);
  });

  it("is given everything else that the host passes", async () => {
    const { manager } = new World();
    const fetch = manager.wrap((request, session, env: { name: string }, count: number) =>
      Response.json([request.url, session.isNew, env.name, count]),
    );
    const response = await fetch(new Request("https://shop.example/x"), { name: "test" }, 3);
    expect(await response.json()).toEqual(["https://shop.example/x", true, "test", 3]);
  });

  it("has a name that reads well in a stack trace", () => {
    expect(new World().manager.wrap(() => new Response()).name).toBe("session");
  });

  it("knows the address where the host tells it, and https by the URL", async () => {
    const { manager } = new World();
    const fetch = manager.wrap((_request, session) => new Response(session.ipAddress), {
      connection: (_request, peer: string) => ({ remoteAddress: peer }),
    });
    const told = await fetch(new Request("https://shop.example/"), "::ffff:192.0.2.5");
    expect(await told.text()).toBe("192.0.2.5");
    expect(told.headers.getSetCookie()[0]).toMatch(/^kyb_session_id=/);
    const wrapped = manager.wrap(() => new Response());
    const https = await wrapped(new Request("https://shop.example/"));
    expect(https.headers.getSetCookie()[0]).toMatch(/^__Host-/);
    const http = await wrapped(new Request("http://localhost/"));
    expect(http.headers.getSetCookie()[0]).toMatch(/^kyb_session_id=/);
  });

  it("stores its changes before the answer is there", async () => {
    const client = new Client();
    await client.send(() => new Response());
    await client.send((_request, session) => {
      session.set("a", 1);
      return Response.redirect("https://shop.example/next");
    });
    expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ a: 1 });
  });
});

describe("a wrapped handler that fails", () => {
  it("lets its own error pass; what it changed until then is stored, and the request counted as a 500", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const cause = new Error("a bug");
    const failure = client.send((_request, session) => {
      session.set("attempts", 1);
      throw cause;
    });
    expect(await failureOf(failure)).toBe(cause);
    expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ attempts: 1 });
    expect(await client.entry()).toMatchObject({ statusCode: 500, responseSize: 0 });
  });

  it("lets its own error pass, also where its changes could not be stored", async () => {
    const failing = new FailingStore(memoryStore());
    const client = new Client({ store: failing.store });
    await client.send(() => new Response());
    const cause = new Error("a bug");
    const failure = client.send((_request, session) => {
      session.set("attempts", 1);
      failing.fail("rejects", "commit");
      throw cause;
    });
    expect(await failureOf(failure)).toBe(cause);
    expect(client.world.events("lost-write")).toMatchObject([
      { keys: ["attempts"], reason: "unavailable" },
    ]);
    expect(await client.entry()).toMatchObject({ statusCode: 500 });
  });

  it("of a SessionError is answered with it, and with the cookie of what happened before", async () => {
    const client = new Client({ create: "write" });
    const response = await client.send((_request, session) => {
      session.set("cart", ["tea"]);
      throw new SessionError("USER_LIMIT", "One is enough.");
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toEqual({
      success: false,
      error: "One is enough.",
      code: "USER_LIMIT",
    });
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await client.entry()).toMatchObject({ statusCode: 409 });
    const next = await client.send((_request, session) => Response.json(session.metadata));
    expect(await next.json()).toEqual({ cart: ["tea"] });
  });

  it("after a sign-in still hands out the new secret: else nobody could use the session", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const response = await client.send(async (_request, session) => {
      await session.signIn("alice");
      session.set("a", undefined);
      return new Response();
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: "INVALID_VALUE",
      error: "The session could not be used.",
    });
    const next = await client.send((_request, session) => new Response(session.userId ?? "nobody"));
    expect(await next.text()).toBe("alice");
  });

  it("because of the store is answered with 503 and Retry-After, and counted", async () => {
    const failing = new FailingStore(memoryStore());
    const client = new Client({ store: failing.store });
    await client.send(() => new Response());
    const response = await client.send((_request, session) => {
      session.set("cart", ["tea"]);
      failing.fail("rejects", "commit");
      return new Response("thank you for your order");
    });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).not.toContain("order");
    expect(await client.entry()).toMatchObject({ statusCode: 503 });
    expect(client.world.events("lost-write")).toMatchObject([{ keys: ["cart"] }]);
  });

  it("before it began, because the store is away, is answered with 503", async () => {
    const failing = new FailingStore(memoryStore());
    const client = new Client({ store: failing.store });
    failing.fail("throws");
    let ran = false;
    const response = await client.send(() => {
      ran = true;
      return new Response();
    });
    expect(response.status).toBe(503);
    expect(ran).toBe(false);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("before it began, because of two tokens, is answered with 400", async () => {
    const client = new Client({ transports: ["cookie", "bearer"] });
    await client.send(() => new Response());
    const { token } = await client.world.manager.create({ transport: "bearer" });
    const response = await client.send(() => new Response(), "/", {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "CREDENTIALS_CONFLICT" });
  });

  it("by answering nothing rejects, and the request is counted", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const handler = (() => undefined) as unknown as Handler;
    expect(await failureOf(client.send(handler))).toBeInstanceOf(TypeError);
    expect(await client.entry()).toMatchObject({ statusCode: 500 });
  });
});

describe("a session that a wrapped handler holds on to", () => {
  const originals = { error: console.error };
  afterEach(() => {
    console.error = originals.error;
  });

  it("throws VISIT_FINISHED once the answer has left", async () => {
    const client = new Client();
    let session: Session<Bag> | undefined;
    const response = await client.send((_request, current) => {
      session = current;
      return new Response("x");
    });
    await response.text();
    expect(() => session?.set("a", 1)).toThrow("manager.patch");
  });
});
