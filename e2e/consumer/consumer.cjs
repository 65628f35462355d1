const { once } = require("node:events");
const { createServer } = require("node:http");
const { serve } = require("@hono/node-server");
const core = require("@kyb/session-core");
const expressSession = require("@kyb/session-express");
const honoSession = require("@kyb/session-hono");
const koaSession = require("@kyb/session-koa");
const nodeSession = require("@kyb/session-node");
const { postgresStore } = require("@kyb/session-postgres");
const { redisStore } = require("@kyb/session-redis");
const { sqliteStore } = require("@kyb/session-sqlite");
const express = require("express");
const { Hono } = require("hono");
const koaModule = require("koa");

// Koa 3 is an ES module to some loaders and a function to others.
const Koa = koaModule.default ?? koaModule;

/** Two visits of one client: the second must find what the first has stored. */
async function visits(origin) {
  const first = await fetch(origin);
  await first.text();
  const cookie = first.headers.getSetCookie()[0].split(";")[0];
  const second = await fetch(origin, { headers: { cookie } });
  return Number(await second.text());
}

async function listening(server) {
  if (!server.listening) await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

async function measure(server) {
  const count = await visits(await listening(server));
  server.closeAllConnections();
  server.close();
  return count;
}

/** What one manager keeps in a file, another one finds there. */
async function throughSqlite() {
  const path = "cjs.db";
  const before = sqliteStore({ path });
  const writer = new core.SessionManager({ store: before });
  const { session } = await writer.create({ userId: "alice", metadata: { visits: 2 } });
  await writer.close();
  await before.close();

  const after = sqliteStore({ path });
  const reader = new core.SessionManager({ store: after });
  const found = await reader.get(session.id);
  await reader.close();
  await after.close();
  return found.metadata.visits;
}

/** How a store that is given nothing refuses: in the words of the core, of which there is one copy. */
function refusal(createStore) {
  try {
    createStore({});
    return "none";
  } catch (error) {
    return error.code;
  }
}

async function main() {
  const expressManager = new expressSession.SessionManager();
  const app = express();
  app.use(expressSession.session(expressManager));
  app.use(expressSession.sessionApi(expressManager, { authorize: () => false }));
  app.get("/", (req, res) => {
    req.session.increment("visits");
    res.send(String(req.session.get("visits")));
  });

  const koaManager = new koaSession.SessionManager();
  const koa = new Koa();
  koa.use(koaSession.session(koaManager)).use((ctx) => {
    ctx.session.increment("visits");
    ctx.body = String(ctx.session.get("visits"));
  });

  const honoManager = new honoSession.SessionManager();
  const hono = new Hono().use(honoSession.session(honoManager)).get("/", (c) => {
    c.var.session.increment("visits");
    return c.text(String(c.var.session.get("visits")));
  });

  const nodeManager = new nodeSession.SessionManager();
  const withSession = nodeSession.session(nodeManager);
  const server = createServer((req, res) => {
    withSession(req, res, (error) => {
      if (error) {
        res.writeHead(500).end();
        return;
      }
      req.session.increment("visits");
      res.end(String(req.session.get("visits")));
    });
  });

  const fetchManager = new core.SessionManager();
  const handler = fetchManager.wrap((_request, session) => {
    session.increment("visits");
    return new Response(String(session.get("visits")));
  });
  const wrapped = createServer(nodeSession.mount((request) => handler(request)));

  const result = {
    express: await measure(app.listen(0)),
    koa: await measure(koa.listen(0)),
    hono: await measure(serve({ fetch: hono.fetch, port: 0 })),
    node: await measure(server.listen(0)),
    fetch: await measure(wrapped.listen(0)),
    sqlite: await throughSqlite(),
    redis: refusal(redisStore),
    postgres: refusal(postgresStore),
  };
  console.log(JSON.stringify(result));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
