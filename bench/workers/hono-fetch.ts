import type { Sample } from "../method/rounds.ts";
import { serveParent } from "../method/serve-parent.ts";
import { applications } from "../servers/hono-app.ts";
import type { Profile } from "../servers/variant.ts";

/** `hono-fetch.ts <variant>`: asks an application for `/`, without a server. */
const variant = process.argv[2] ?? "";
const make = applications[variant];
if (make === undefined) throw new Error(`There is no ${variant}.`);
const app = make();
const cookies: string[] = [];
let next = 0;

serveParent({ begin, run, tracked: () => app.tracked?.() ?? null });

/** Signs clients in and checks that each is known by its cookie. */
async function begin(clients: number): Promise<void> {
  for (let client = 0; client < clients; client++) {
    const response = await app.fetch(new Request(`http://bench.test/start?user=u${client}`));
    cookies.push(response.headers.getSetCookie()[0]?.split(";")[0] ?? "");
  }
  if (variant === "bare") return;
  for (const client of [0, 7, clients - 1]) {
    const response = await app.fetch(requestOf(client));
    const { user } = (await response.json()) as Profile;
    if (user !== `u${client}`) throw new Error(`${variant} took client ${client} for ${user}.`);
  }
}

async function run(milliseconds: number): Promise<Sample> {
  const before = process.cpuUsage();
  const begunAt = performance.now();
  let operations = 0;
  let now = begunAt;
  while (now - begunAt < milliseconds) {
    for (let request = 0; request < 100; request++) {
      next = (next + 1) % cookies.length;
      const response = await app.fetch(requestOf(next));
      // To the end, as a host would send it: that is when a request is over and is tracked.
      const body = await response.text();
      if (response.status !== 200) throw new Error(`${variant} answered ${body}.`);
    }
    operations += 100;
    now = performance.now();
  }
  const { user, system } = process.cpuUsage(before);
  return { operations, cpuMicros: user + system, wallMillis: now - begunAt };
}

function requestOf(client: number): Request {
  return new Request("http://bench.test/", { headers: { cookie: cookies[client] ?? "" } });
}
