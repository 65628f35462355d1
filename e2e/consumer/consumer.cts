import expressSession = require("@kyb/session-express");
import nodeSession = require("@kyb/session-node");
import postgresSession = require("@kyb/session-postgres");
import redisSession = require("@kyb/session-redis");
import sqliteSession = require("@kyb/session-sqlite");
import pg = require("pg");
import redis = require("redis");

const store = sqliteSession.sqliteStore({ path: "sessions.db" });
const manager = new expressSession.SessionManager<{ visits: number }>({ store });
export const middleware = nodeSession.session(manager);
export const list = manager.list({ userId: "alice" });
export const migrated = postgresSession.postgresStore({ pool: new pg.Pool() }).migrate();
export const shared = redisSession.redisStore({ client: redis.createClient() });
