import { DatabaseSync } from "node:sqlite";
import { allowLoopback } from "@kyb/session-core/api";
import { describeClient } from "@kyb/session-core/client";
import { lifecycle, type SessionStore } from "@kyb/session-core/store";
import { SessionManager, session, sessionApi } from "@kyb/session-express";
import * as honoSession from "@kyb/session-hono";
import * as koaSession from "@kyb/session-koa";
import { postgresStore } from "@kyb/session-postgres";
import { redisStore } from "@kyb/session-redis";
import { sqliteStore } from "@kyb/session-sqlite";
import Database from "better-sqlite3";
import express from "express";
import { Hono } from "hono";
import { Redis } from "ioredis";
import Koa from "koa";
import { Pool } from "pg";
import { createClient, createCluster } from "redis";

declare module "@kyb/session-express" {
  interface Register {
    data: { cart: string[]; visits: number };
  }
}

const manager = new SessionManager({ sessionTimeout: "1h" });
const app = express();
app.use(session(manager));
app.use(sessionApi(manager, { authorize: allowLoopback }));
app.get("/", (req, res) => {
  req.session.increment("visits");
  // @ts-expect-error a cart is a list of texts
  req.session.set("cart", [1]);
  res.json(req.session.get("cart")?.length);
});

new Koa().use(koaSession.session(manager)).use((ctx) => {
  const visits: number | undefined = ctx.session.get("visits");
  ctx.body = String(visits);
});

new Hono().use(honoSession.session(manager)).get("/", (c) => {
  const visits: number | undefined = c.var.session.get("visits");
  return c.text(`${visits} ${describeClient("curl/8.5").label}`);
});

// Each driver's own objects fit without a cast.
export const stores: readonly SessionStore[] = [
  sqliteStore({ path: "sessions.db" }),
  sqliteStore({ database: new Database("sessions.db") }),
  sqliteStore({ database: new DatabaseSync("sessions.db") }),
  redisStore({ client: createClient() }),
  redisStore({ client: createCluster({ rootNodes: [] }) }),
  redisStore({ client: new Redis() }),
  postgresStore({ pool: new Pool() }),
];
// @ts-expect-error a pool is not a URL
postgresStore({ pool: "postgres://localhost" });

export const rule = lifecycle;
