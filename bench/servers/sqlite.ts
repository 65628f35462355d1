import { randomBytes } from "node:crypto";
import { sqliteStore } from "@kyb/session-sqlite";
import Database from "better-sqlite3";
import { application, bare, listen, ours } from "./express.ts";
import { ourManager } from "./ours.ts";
import { type Running, userOf, type Variants } from "./variant.ts";

/** Express behind SQLite; the folder for the files is the third argument. */
const folder = process.argv[4] ?? "";

export const variants: Variants = {
  bare,
  ours: async () => ours(ourManager(sqliteStore({ path: `${folder}/ours.db` }))),
  "row a request, synced": () => rowPerRequest("FULL"),
  "row a request, not synced": () => rowPerRequest("NORMAL"),
};

/** What one writes by hand: the session is read, and each request writes one row, with better-sqlite3 in WAL mode. */
async function rowPerRequest(synchronous: "FULL" | "NORMAL"): Promise<Running> {
  const database = new Database(`${folder}/${synchronous}.db`);
  database.pragma("journal_mode = WAL");
  database.pragma(`synchronous = ${synchronous}`);
  database.exec(`
    CREATE TABLE session (id TEXT PRIMARY KEY, user TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE activity (session TEXT NOT NULL, at INTEGER NOT NULL, endpoint TEXT NOT NULL, method TEXT NOT NULL,
      status INTEGER NOT NULL, duration REAL NOT NULL, bytes INTEGER NOT NULL);
    CREATE INDEX activity_session ON activity (session, at);
  `);
  const make = database.prepare("INSERT INTO session VALUES (?, ?, ?)");
  const find = database.prepare<[string, number], { id: string; user: string }>(
    "SELECT id, user FROM session WHERE id = ? AND expires > ?",
  );
  const write = database.prepare("INSERT INTO activity VALUES (?, ?, ?, ?, ?, ?, ?)");
  const count = database.prepare<[string], { n: number }>(
    "SELECT count(*) n FROM activity WHERE session = ?",
  );
  const all = database.prepare<[], { n: number }>("SELECT count(*) n FROM activity");

  const app = application();
  app.use((req, res, next) => {
    const id = /sid=([\w-]+)/.exec(req.headers.cookie ?? "")?.[1];
    const now = Date.now();
    const found = id === undefined ? undefined : find.get(id, now);
    if (found !== undefined) {
      res.locals.session = found;
      const startedAt = performance.now();
      res.on("finish", () => {
        const bytes = Number(res.getHeader("content-length"));
        const duration = performance.now() - startedAt;
        write.run(found.id, now, req.path, req.method, res.statusCode, duration, bytes);
      });
    }
    next();
  });
  app.get("/start", (req, res) => {
    const id = randomBytes(24).toString("base64url");
    make.run(id, userOf(req.url), Date.now() + 86_400_000);
    res.setHeader("Set-Cookie", `sid=${id}; HttpOnly`);
    res.json({ user: userOf(req.url) });
  });
  app.get("/", (_req, res) => {
    res.json({ user: res.locals.session?.user, n: 0 });
  });
  app.get("/log", (_req, res) => {
    res.json({ entries: count.get(res.locals.session.id)?.n ?? 0 });
  });
  return listen(app, () => all.get()?.n ?? 0);
}
