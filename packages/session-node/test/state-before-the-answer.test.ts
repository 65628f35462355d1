import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ask, cookieOf, isWaiting, send } from "./support/client.ts";
import { newManager, serveHandlers } from "./support/host.ts";
import { RemoteStore } from "./support/remote-store.ts";

/** A host on a remote store, and a client that has a session there. */
async function remoteHost(handlers: Parameters<typeof serveHandlers>[1]) {
  const store = new RemoteStore();
  const manager = newManager({ store: store.store });
  const host = await serveHandlers(manager, {
    "/": (_req, res) => res.end("home"),
    "/read": (_req, res, session) => res.end(JSON.stringify(session.metadata)),
    ...handlers,
  });
  const headers = cookieOf(await ask(`${host.origin}/`));
  const home = (): Promise<unknown> => ask(`${host.origin}/`, { headers });
  const read = async (): Promise<unknown> =>
    JSON.parse((await ask(`${host.origin}/read`, { headers })).body);
  return { ...host, store, manager, headers, home, read };
}

describe("an answer and the state behind it (R-79)", () => {
  it("leaves when the state is stored, so that a redirect leads to the new value", async () => {
    const { origin, store, headers, home, read } = await remoteHost({
      "/set": (_req, res, session) => {
        session.set("theme", "dark");
        res.statusCode = 302;
        res.setHeader("Location", "/read");
        res.end();
      },
    });
    const write = store.hold("commit");
    const { head, reply } = send(`${origin}/set`, { headers });
    await write.arrived;
    expect(await isWaiting(head, home)).toBe(true);
    write.release();
    expect(await reply).toMatchObject({ status: 302, isComplete: true });
    expect(await read()).toEqual({ theme: "dark" });
  });

  it("is not delayed where nothing changed", async () => {
    let endedAtOnce: boolean | undefined;
    const { origin, headers } = await remoteHost({
      "/clean": (_req, res, session) => {
        session.get("theme");
        res.end("clean");
        endedAtOnce = res.writableEnded;
      },
    });
    expect(await ask(`${origin}/clean`, { headers })).toMatchObject({ body: "clean" });
    expect(endedAtOnce).toBe(true);
  });

  it("waits for a write that the handler did not await", async () => {
    const { origin, store, headers, home, read } = await remoteHost({
      "/set": (_req, res, session) => {
        session.set("a", 1);
        session.save().catch(() => undefined);
        res.end("done");
      },
    });
    const write = store.hold("commit");
    const { head, reply } = send(`${origin}/set`, { headers });
    await write.arrived;
    expect(await isWaiting(head, home)).toBe(true);
    write.release();
    await reply;
    expect(await read()).toEqual({ a: 1 });
    expect(store.count("commit")).toBe(1);
  });

  it("carries the cookie of a sign-in that the handler did not await", async () => {
    const { origin, store, headers } = await remoteHost({
      "/sign-in": (_req, res, session) => {
        session.signIn("ann").catch(() => undefined);
        res.end("welcome");
      },
      "/who": (_req, res, session) => res.end(session.userId),
    });
    const write = store.hold("commit");
    const { reply } = send(`${origin}/sign-in`, { headers });
    await write.arrived;
    write.release();
    expect(await ask(`${origin}/who`, { headers: cookieOf(await reply) })).toMatchObject({
      body: "ann",
    });
  });

  it("goes out as the handler ended it, whatever is done to it while it waits", async () => {
    const { origin, store, headers, home } = await remoteHost({
      "/twice": (_req, res, session) => {
        session.set("a", 1);
        res.setHeader("X-Answer", "first");
        res.setHeader("Set-Cookie", ["one=1"]);
        res.end("the first answer");
        // What an error handler does with a handler that throws after its answer.
        res.statusCode = 500;
        res.setHeader("X-Answer", "second");
        res.setHeader("X-More", "1");
        res.appendHeader("Set-Cookie", "two=2");
        res.writeHead(501, { "X-Answer": "third" });
        res.write("and more");
        res.end("the second answer");
      },
    });
    const write = store.hold("commit");
    const { reply } = send(`${origin}/twice`, { headers });
    await write.arrived;
    await home();
    write.release();
    const answer = await reply;
    expect(answer).toMatchObject({
      status: 200,
      message: "OK",
      body: "the first answer",
      isComplete: true,
    });
    expect(answer.headers["x-answer"]).toBe("first");
    expect(answer.headers["x-more"]).toBeUndefined();
    expect(answer.cookies).toEqual(["one=1"]);
  });

  it.each([
    ["end(callback)", (res: ServerResponse, done: () => void) => res.end(done)],
    ["end(chunk, callback)", (res: ServerResponse, done: () => void) => res.end("x", done)],
    [
      "end(chunk, encoding, callback)",
      (res: ServerResponse, done: () => void) => res.end("eA==", "base64", done),
    ],
    [
      "write(chunk, callback)",
      (res: ServerResponse, done: () => void) => {
        res.write("x", done);
        res.end();
      },
    ],
    [
      "write(chunk, encoding, callback)",
      (res: ServerResponse, done: () => void) => {
        res.write("78", "hex", done);
        res.end();
      },
    ],
  ])("calls back from %s, held back or not", async (form, end) => {
    const called: string[] = [];
    const { origin, headers } = await remoteHost({
      "/dirty": (_req, res, session) => {
        session.increment("n");
        end(res, () => called.push("dirty"));
      },
      "/clean": (_req, res) => end(res, () => called.push("clean")),
    });
    const bodies = [];
    for (const path of ["/dirty", "/clean"]) {
      bodies.push((await ask(`${origin}${path}`, { headers })).body);
    }
    expect(bodies).toEqual(form === "end(callback)" ? ["", ""] : ["x", "x"]);
    expect(called).toEqual(["dirty", "clean"]);
  });

  it("throws what Node throws for a chunk that cannot be sent, and can be answered again", async () => {
    const { origin, headers } = await remoteHost({
      "/wrong": (_req, res, session) => {
        session.get("a");
        expect(() => res.end({} as never)).toThrow(TypeError);
        res.end("right");
      },
    });
    expect(await ask(`${origin}/wrong`, { headers })).toMatchObject({ body: "right" });
  });

  it("hands an answer that cannot be sent to the host, once it was held back", async () => {
    const { origin, headers, errors } = await remoteHost({
      "/wrong": (_req, res, session) => {
        session.set("a", 1);
        res.statusCode = 12;
        res.end("?");
      },
    });
    expect(await ask(`${origin}/wrong`, { headers })).toMatchObject({
      status: 500,
      isComplete: true,
    });
    expect(errors).toMatchObject([{ code: "ERR_HTTP_INVALID_STATUS_CODE" }]);
  });
});

describe("an answer that comes in pieces (F-31)", () => {
  it.each<[string, (res: ServerResponse) => unknown]>([
    [
      "written",
      (res) => {
        res.write("begin ");
        res.end("end");
      },
    ],
    [
      "written under an explicit head",
      (res) => {
        res.writeHead(200, { "Content-Length": 9 });
        res.write("begin ");
        res.write("end");
        res.end();
      },
    ],
    ["piped", (res) => Readable.from([Buffer.from("begin "), Buffer.from("end")]).pipe(res)],
    [
      "flushed first",
      (res) => {
        res.flushHeaders();
        res.write("begin ");
        res.end("end");
      },
    ],
  ])("waits with its first byte for what was changed before it: %s", async (_form, answer) => {
    const { origin, store, headers, home, read } = await remoteHost({
      "/stream": (_req, res, session) => {
        session.set("seen", true);
        answer(res);
      },
    });
    const write = store.hold("commit");
    const { head, reply } = send(`${origin}/stream`, { headers });
    await write.arrived;
    expect(await isWaiting(head, home)).toBe(true);
    write.release();
    expect(await reply).toMatchObject({ body: "begin end", isComplete: true });
    expect(await read()).toEqual({ seen: true });
    expect(store.count("commit")).toBe(1);
  });

  it.each<[string, (res: ServerResponse) => unknown]>([
    ["by its end", (res) => res.end("end")],
    [
      "by the last bytes of its announced length",
      (res) => {
        res.write("end");
        res.end();
      },
    ],
  ])(
    "waits with its last byte for what was changed while it streamed: %s",
    async (form, finish) => {
      const { origin, store, headers, home, read } = await remoteHost({
        "/stream": (_req, res, session) => {
          if (form.includes("announced")) res.setHeader("Content-Length", 14);
          res.write("begin ");
          session.set("a", 1);
          session.set("b", 2);
          res.write("more ");
          finish(res);
        },
      });
      const write = store.hold("commit");
      const sent = send(`${origin}/stream`, { headers });
      await sent.received("begin more ");
      await write.arrived;
      expect(await isWaiting(sent.reply, home)).toBe(true);
      write.release();
      expect(await sent.reply).toMatchObject({ body: "begin more end", isComplete: true });
      expect(await read()).toEqual({ a: 1, b: 2 });
      expect(store.count("commit")).toBe(1);
    },
  );

  it("stores along what changes while it streams", async () => {
    const { origin, store, headers, read } = await remoteHost({
      "/stream": (_req, res, session) => {
        for (const key of ["a", "b", "c", "d"]) {
          res.write(key);
          session.set(key, 1);
        }
        res.end("e");
      },
    });
    expect(await ask(`${origin}/stream`, { headers })).toMatchObject({
      body: "abcde",
      isComplete: true,
    });
    expect(await read()).toEqual({ a: 1, b: 1, c: 1, d: 1 });
    expect(store.count("commit")).toBeLessThan(4);
  });

  it("asks a source to wait as long as it waits itself", async () => {
    const { origin, store, headers, home } = await remoteHost({
      "/pipe": (_req, res, session) => {
        session.set("a", 1);
        Readable.from(chunks()).pipe(res);
      },
    });
    let read = 0;
    async function* chunks(): AsyncGenerator<Buffer> {
      for (; read < 100; read++) yield Buffer.alloc(100_000);
    }
    const write = store.hold("commit");
    const { reply } = send(`${origin}/pipe`, { headers });
    await write.arrived;
    await home();
    expect(read).toBeLessThan(50);
    write.release();
    expect(await reply).toMatchObject({ size: 10_000_000, isComplete: true });
  });

  it("carries the cookie of a session that its first change makes", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store, create: "write" });
    const { origin } = await serveHandlers(manager, {
      "/": (_req, res, session) => {
        session.set("a", 1);
        res.write("begin ");
        res.end("end");
      },
    });
    const reply = await ask(`${origin}/`);
    expect(reply).toMatchObject({ body: "begin end", isComplete: true });
    expect(reply.cookies).toHaveLength(1);
  });

  it("carries the cookie of a sign-in that began while it waited", async () => {
    const { origin, headers } = await remoteHost({
      "/": async (_req, res, session) => {
        session.set("a", 1);
        res.write("begin ");
        await session.signIn("ann");
        res.end("end");
      },
      "/who": (_req, res, session) => res.end(session.userId),
    });
    const reply = await ask(`${origin}/`, { headers });
    expect(await ask(`${origin}/who`, { headers: cookieOf(reply) })).toMatchObject({ body: "ann" });
  });

  it("waits with its head where it has no body, because the head is the end", async () => {
    const { origin, store, headers, home } = await remoteHost({
      "/head": (_req, res, session) => {
        session.increment("n");
        res.flushHeaders();
        res.write("not sent");
        res.end();
      },
    });
    const write = store.hold("commit");
    const sent = send(`${origin}/head`, { method: "HEAD", headers });
    await write.arrived;
    expect(await isWaiting(sent.head, home)).toBe(true);
    write.release();
    expect(await sent.reply).toMatchObject({ status: 200, body: "", isComplete: true });
  });

  it("makes a sign-in after its headers throw HEADERS_SENT, and still stores data", async () => {
    const codes: unknown[] = [];
    const { origin, headers, read } = await remoteHost({
      "/late": async (_req, res, session) => {
        res.write("early ");
        await session.signIn("ann").catch((error: { code: string }) => codes.push(error.code));
        await session.regenerate().catch((error: { code: string }) => codes.push(error.code));
        session.set("a", 1);
        res.end("late");
      },
    });
    expect(await ask(`${origin}/late`, { headers })).toMatchObject({
      body: "early late",
      isComplete: true,
    });
    expect(codes).toEqual(["HEADERS_SENT", "HEADERS_SENT"]);
    expect(await read()).toEqual({ a: 1 });
  });
});

describe("a store that refuses the state", () => {
  it.each([
    [
      "end",
      (res: ServerResponse) => {
        res.statusCode = 201;
        res.statusMessage = "Made";
        res.setHeader("Content-Type", "application/json");
        res.setHeader("Cache-Control", "public, max-age=60");
        res.setHeader("ETag", '"1"');
        res.setHeader("Location", "/made");
        res.end("{}");
      },
    ],
    [
      "writeHead and end",
      (res: ServerResponse) => {
        res.writeHead(200, { "Content-Type": "application/json", ETag: '"1"', Location: "/made" });
        res.end("{}");
      },
    ],
    ["writeHead(200) and end", (res: ServerResponse) => res.writeHead(200).end("{}")],
    [
      "writeHead with a reason",
      (res: ServerResponse) => {
        res.writeHead(201, "Made", ["Location", "/made"]);
        res.end();
      },
    ],
  ])(
    "is answered with 503 instead of %s, and nothing of the answer is left (R-79)",
    async (_form, answer) => {
      const { origin, store, headers, errors } = await remoteHost({
        "/set": (_req, res, session) => {
          res.setHeader("X-Frame-Options", "DENY");
          res.setHeader("Content-Security-Policy", "default-src 'self'");
          res.setHeader("Set-Cookie", ["app=1"]);
          session.set("a", 1);
          answer(res);
        },
      });
      store.break("commit");
      const reply = await ask(`${origin}/set`, { headers });
      expect(reply).toMatchObject({
        status: 503,
        message: "Service Unavailable",
        body: "STORE_UNAVAILABLE",
        isComplete: true,
        cookies: ["app=1"],
      });
      expect(reply.headers["content-type"]).toBe("text/plain");
      for (const gone of ["etag", "location", "cache-control"])
        expect(reply.headers[gone]).toBeUndefined();
      expect(reply.headers["x-frame-options"]).toBe("DENY");
      expect(reply.headers["content-security-policy"]).toBe("default-src 'self'");
      expect(errors).toMatchObject([{ code: "STORE_UNAVAILABLE" }]);
      expect(store.count("commit")).toBe(1);
    },
  );

  it("is not asked again by what answers the error", async () => {
    const store = new RemoteStore();
    const manager = newManager({ store: store.store });
    const lost: string[] = [];
    manager.on("lost-write", ({ keys }) => lost.push(...keys));
    const { origin } = await serveHandlers(manager, {
      "/": (_req, res, session) => {
        session.set("a", 1);
        // The host's answer to the error goes through `end` as well, and changes the session before.
        const end = res.end.bind(res);
        res.end = ((...args: Parameters<typeof end>) => {
          if (res.statusCode === 503) session.set("failures", 1);
          return end(...args);
        }) as typeof res.end;
        res.end("fine");
      },
    });
    store.break("commit");
    expect(await ask(`${origin}/`)).toMatchObject({ status: 503, body: "STORE_UNAVAILABLE" });
    expect(store.count("commit")).toBe(1);
    expect(lost).toEqual(["a", "failures"]);
  });

  it.each([
    [
      "a stream",
      (res: ServerResponse, set: () => void) => {
        res.write("begin ");
        set();
        res.end("end");
      },
    ],
    [
      "an announced length",
      (res: ServerResponse, set: () => void) => {
        res.setHeader("Content-Length", 9);
        res.write("begin ");
        set();
        res.write("end");
        res.end();
      },
    ],
    [
      "a stream that goes on",
      (res: ServerResponse, set: () => void) => {
        res.write("begin");
        set();
        res.write(" ");
        // The handler does not know that it writes to nobody.
        res.on("close", () => res.end("end"));
      },
    ],
  ])(
    "cuts off %s whose headers have left, so that nobody takes it for complete",
    async (_kind, answer) => {
      const { origin, store, headers, errors } = await remoteHost({
        "/stream": (_req, res, session) => answer(res, () => session.set("a", 1)),
      });
      const write = store.hold("commit");
      const sent = send(`${origin}/stream`, { headers });
      await sent.received("begin ");
      await write.arrived;
      write.release(new Error("The store is gone."));
      expect(await sent.reply).toMatchObject({ status: 200, body: "begin ", isComplete: false });
      expect(errors).toEqual([]);
    },
  );

  it.each<[string, (res: ServerResponse, set: () => void) => unknown]>([
    [
      "whose head was written before the change",
      (res, set) => {
        res.writeHead(200, { "Content-Type": "text/plain" });
        set();
        res.end("end");
      },
    ],
    [
      "that its handler goes on writing",
      (res, set) => {
        set();
        res.write("begin ");
        res.on("close", () => res.end("end"));
      },
    ],
  ])("cuts off an answer %s, before anything of it is sent", async (_kind, answer) => {
    const { origin, store, headers, errors } = await remoteHost({
      "/written": (_req, res, session) => answer(res, () => session.set("a", 1)),
    });
    store.break("commit");
    await expect(ask(`${origin}/written`, { headers })).rejects.toThrow("socket hang up");
    expect(errors).toEqual([]);
  });
});
