import { describe, expect, it } from "vitest";
import { ask, cookieOf } from "../../session-node/test/support/client.ts";
import { mount, session, sessionApi } from "../src/index.ts";
import { newManager, start, versions } from "./host.ts";

const json = { "Content-Type": "application/json" };

describe.each(versions)("in %s", (_name, { express }) => {
  it.each([
    ["at the root", "/", "/v1/sessions", undefined],
    ["below a prefix", "/admin", "/admin/v1/sessions", undefined],
    ["at a mount point that is its base path", "/v1/sessions", "/v1/sessions", undefined],
    ["at a mount point that ends with its base path", "/admin/people", "/admin/people", "/people"],
  ])(
    "sessionApi() answers %s, and the host everything else",
    async (_place, prefix, base, basePath) => {
      const manager = newManager();
      const app = express();
      const outer = express.Router();
      outer.use(
        sessionApi(manager, {
          authorize: () => true,
          ...(basePath === undefined ? {} : { basePath }),
        }),
      );
      app.use(prefix, outer);
      app.use((_req, res) => void res.status(404).send("host"));
      const origin = await start(app);
      const made = await ask(`${origin}${base}`, {
        method: "POST",
        headers: json,
        body: '{"metadata":{"a":1}}',
      });
      expect(made).toMatchObject({ status: 201 });
      const current = await ask(`${origin}${base}/current`, { headers: cookieOf(made) });
      expect(JSON.parse(current.body)).toMatchObject({
        success: true,
        session: { metadata: { a: 1 } },
      });
      expect(await ask(`${origin}/other`)).toMatchObject({ status: 404, body: "host" });
    },
  );

  it.each(["before", "after"])("sessionApi() reads the body %s a body parser", async (place) => {
    const manager = newManager();
    const app = express();
    const api = sessionApi(manager, { authorize: () => true });
    app.use(session(manager));
    app.use(...(place === "before" ? [api, express.json()] : [express.json(), api]));
    app.post("/echo", express.json(), (req, res) => void res.json(req.body));
    const origin = await start(app);
    const body = JSON.stringify({ metadata: { role: "beta_tester" } });
    const made = await ask(`${origin}/v1/sessions`, { method: "POST", headers: json, body });
    expect(made).toMatchObject({ status: 201, isComplete: true });
    expect((await manager.list()).items).toMatchObject([{ metadata: { role: "beta_tester" } }]);
    expect(await ask(`${origin}/echo`, { method: "POST", headers: json, body })).toMatchObject({
      body,
    });
    const unread = await ask(`${origin}/v1/sessions`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body,
    });
    expect(unread).toMatchObject({ status: 415 });
  });

  it("mount() serves a fetch handler and hands its errors to Express", async () => {
    const app = express();
    app.use(
      "/fetch",
      mount((request, connection, context) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/fetch/throws") throw new Error("of the handler");
        if (pathname === "/fetch/not-mine") return undefined;
        return Response.json({
          pathname,
          peer: connection?.remoteAddress,
          mountPath: context?.mountPath,
        });
      }),
    );
    app.use((_req, res) => void res.send("host"));
    const origin = await start(app);
    expect(JSON.parse((await ask(`${origin}/fetch/a`)).body)).toEqual({
      pathname: "/fetch/a",
      peer: "127.0.0.1",
      mountPath: "/fetch",
    });
    expect(await ask(`${origin}/fetch/not-mine`)).toMatchObject({ body: "host" });
    expect(await ask(`${origin}/fetch/throws`)).toMatchObject({ status: 500 });
  });
});
