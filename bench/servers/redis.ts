import { randomBytes } from "node:crypto";
import { redisStore } from "@kyb/session-redis";
import { RedisStore as ConnectRedis } from "connect-redis";
import { createClient } from "redis";
import { application, bare, listen, ours, peer, peerWithLog } from "./express.ts";
import { ourManager } from "./ours.ts";
import { type Running, userOf, type Variants } from "./variant.ts";

/** Express behind Redis; the server's URL is the third argument. */
const url = process.argv[4] ?? "";

export const variants: Variants = {
  bare,
  "one GET": oneGet,
  ours: async () => ours(ourManager(redisStore({ client: await connect() }))),
  // Observations would be round trips that no request waits for.
  "ours, unflushed": async () =>
    ours(ourManager(redisStore({ client: await connect() }), { flushInterval: "1h" })),
  "connect-redis": async () => peer(new ConnectRedis({ client: await connect(), prefix: "peer:" })),
  "connect-redis-log": async () =>
    peerWithLog(new ConnectRedis({ client: await connect(), prefix: "peer-log:" })),
};

async function connect(): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url });
  client.on("error", (error) => console.error(error));
  await client.connect();
  return client as ReturnType<typeof createClient>;
}

/** The floor: who it is stands in Redis under the cookie, and nothing is tracked. */
async function oneGet(): Promise<Running> {
  const client = await connect();
  const app = application();
  app.use(async (req, res, next) => {
    const key = /sid=([\w-]+)/.exec(req.headers.cookie ?? "")?.[1];
    if (key !== undefined) {
      const stored = await client.get(`one:${key}`);
      if (stored !== null) res.locals.session = JSON.parse(stored);
    }
    next();
  });
  app.get("/start", async (req, res) => {
    const key = randomBytes(24).toString("base64url");
    const user = userOf(req.url);
    await client.set(`one:${key}`, JSON.stringify({ user }), {
      expiration: { type: "EX", value: 86_400 },
    });
    res.setHeader("Set-Cookie", `sid=${key}; HttpOnly`);
    res.json({ user });
  });
  app.get("/", (_req, res) => {
    res.json({ user: res.locals.session?.user, n: 0 });
  });
  return listen(app);
}
