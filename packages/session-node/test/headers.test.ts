import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { ask, cookieOf } from "./support/client.ts";
import { newManager, serveHandlers } from "./support/host.ts";

describe("the cookie among the application's own headers (R-15)", () => {
  it.each([
    [
      "setHeader with a list",
      (res: ServerResponse) => res.setHeader("Set-Cookie", ["a=1", "b=2"]).end(),
    ],
    [
      "appendHeader",
      (res: ServerResponse) =>
        res.appendHeader("set-cookie", "a=1").appendHeader("Set-Cookie", "b=2").end(),
    ],
    [
      "writeHead with an object",
      (res: ServerResponse) => res.writeHead(200, { "Set-Cookie": ["a=1", "b=2"] }).end(),
    ],
    [
      "writeHead with a reason and an object",
      (res: ServerResponse) => res.writeHead(200, "Fine", { "set-cookie": ["a=1", "b=2"] }).end(),
    ],
    [
      "writeHead with a flat list",
      (res: ServerResponse) => res.writeHead(200, ["Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end(),
    ],
    [
      "writeHead with a list of pairs",
      (res: ServerResponse) =>
        res
          .writeHead(200, [
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
          ] as never)
          .end(),
    ],
    [
      "writeHead over headers that are set",
      (res: ServerResponse) =>
        res
          .setHeader("Set-Cookie", "old=1")
          .writeHead(200, { "Set-Cookie": ["a=1", "b=2"] })
          .end(),
    ],
    [
      "flushHeaders",
      (res: ServerResponse) => {
        res.setHeader("Set-Cookie", ["a=1", "b=2"]);
        res.flushHeaders();
        res.end("body");
      },
    ],
    [
      "write",
      (res: ServerResponse) => {
        res.setHeader("Set-Cookie", ["a=1", "b=2"]);
        res.write("bo");
        res.end("dy");
      },
    ],
  ])("comes once and last after %s", async (_form, answer) => {
    const { origin } = await serveHandlers(newManager(), {
      "/clean": (_req, res) => answer(res),
      "/dirty": (_req, res, session) => {
        session.increment("n");
        answer(res);
      },
    });
    for (const path of ["/clean", "/dirty"]) {
      const { cookies } = await ask(origin + path);
      expect(cookies).toHaveLength(3);
      expect(cookies.slice(0, 2)).toEqual(["a=1", "b=2"]);
      expect(cookies[2]).toMatch(
        /^kyb_session_id=[\w-]+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
      );
    }
  });

  it("leaves explicit headers, status and reason as they were given", async () => {
    const { origin } = await serveHandlers(newManager(), {
      "/": (_req, res, session) => {
        session.set("a", 1);
        res.setHeader("X-Before", "1");
        res.writeHead(202, "Noted", { "X-After": ["2", "3"], "X-Before": "4" });
        res.end("ok");
      },
    });
    const reply = await ask(`${origin}/`);
    expect(reply).toMatchObject({ status: 202, message: "Noted", body: "ok" });
    expect(reply.headers["x-before"]).toBe("4");
    expect(reply.headers["x-after"]).toBe("2, 3");
  });

  it("throws for a list that is not one, as Node does", async () => {
    const { origin } = await serveHandlers(newManager(), {
      "/": (_req, res) => {
        expect(() => res.writeHead(200, ["X-Odd"])).toThrow(TypeError);
        expect(() => res.writeHead(200, { "X-Bad": "a\nb" })).toThrow(TypeError);
        res.end("caught");
      },
    });
    expect(await ask(`${origin}/`)).toMatchObject({ body: "caught" });
  });

  it("throws for a second head, as Node does", async () => {
    const { origin } = await serveHandlers(newManager(), {
      "/": (_req, res) => {
        res.writeHead(200);
        expect(() => res.writeHead(201)).toThrow("Cannot write headers after they are sent");
        res.end("caught");
      },
    });
    expect(await ask(`${origin}/`)).toMatchObject({ status: 200, body: "caught" });
  });

  it("keeps caches from mixing up users (R-82)", async () => {
    const { origin } = await serveHandlers(newManager(), {
      "/public": (_req, res) => {
        res.setHeader("Cache-Control", "public, max-age=60");
        res.end("for all");
      },
      "/mine": (_req, res, session) => {
        res.setHeader("Vary", "Accept");
        res.setHeader("Cache-Control", "public, max-age=60");
        res.end(session.id);
      },
    });
    const first = await ask(`${origin}/mine`);
    expect(first.headers).toMatchObject({ vary: "Accept, Cookie", "cache-control": "no-store" });
    const headers = cookieOf(first);
    const mine = await ask(`${origin}/mine`, { headers });
    expect(mine.headers).toMatchObject({ vary: "Accept, Cookie" });
    const publicly = await ask(`${origin}/public`, { headers });
    expect(publicly.headers).toMatchObject({ "cache-control": "public, max-age=60" });
    expect(publicly.headers.vary).toBeUndefined();
    expect(publicly.cookies).toEqual([]);
  });
});
