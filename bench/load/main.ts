import { serveParent } from "../method/serve-parent.ts";
import { type Answer, Connection, formatRequest } from "./connection.ts";
import { Latencies } from "./latencies.ts";

/** What the generator is asked to do. */
export interface RunOrder {
  readonly port: number;
  readonly milliseconds: number;
  readonly connections: number;
  readonly path: string;
  /** Nothing else is at work on this core, so that it may be kept from sleeping. */
  readonly ownsCore: boolean;
}

export interface RunReport {
  readonly requests: number;
  readonly wallMillis: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** By port: each client's cookies. */
const cookies = new Map<number, string[]>();
const requests = new Map<string, readonly Uint8Array[]>();
const pools = new Map<number, Connection[]>();

serveParent({ signIn, get, run });

/** Makes sessions: client number n asks for `/start?user=u<n>` and keeps the cookies it is given. */
async function signIn({ port, count }: { port: number; count: number }): Promise<void> {
  const jars: string[] = [];
  const pool = poolOf(port, 16);
  const clients = pool.map(async (connection, first) => {
    for (let client = first; client < count; client += pool.length) {
      const answer = await connection.request(`/start?user=u${client}`, undefined);
      if (answer.status !== 200)
        throw new Error(`/start answered ${answer.status}: ${answer.body}`);
      jars[client] = cookiesOf(answer.head);
    }
  });
  await Promise.all(clients);
  cookies.set(port, jars);
  for (const key of requests.keys()) if (key.startsWith(`${port} `)) requests.delete(key);
}

/** One request of one client, or with any cookie, answered in full. */
function get(order: {
  port: number;
  path: string;
  client?: number;
  cookie?: string;
}): Promise<Answer> {
  const own = order.client === undefined ? undefined : cookies.get(order.port)?.[order.client];
  const [connection] = poolOf(order.port, 1);
  if (connection === undefined) throw new Error("No connection.");
  return connection.request(order.path, order.cookie ?? own);
}

/** Every connection sends its next request when the answer to the last one is there. */
async function run(order: RunOrder): Promise<RunReport> {
  const { port, milliseconds, connections, path, ownsCore } = order;
  const queue = prepared(port, path);
  const latencies = new Latencies();
  const begin = performance.now();
  const end = begin + milliseconds;
  let next = Math.floor(Math.random() * queue.length);
  let finished = begin;

  const client = (connection: Connection): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentAt = performance.now();
      const answered = (text: string): void => {
        const now = performance.now();
        if (!text.startsWith("HTTP/1.1 200")) {
          reject(new Error(text));
          return;
        }
        latencies.add(now - sentAt);
        finished = now;
        if (now >= end) resolve();
        else send(now);
      };
      const send = (now: number): void => {
        sentAt = now;
        next = next + 1 === queue.length ? 0 : next + 1;
        connection.send(queue[next] as Uint8Array, answered, reject);
      };
      send(sentAt);
    });
  const rest = ownsCore ? stayAwake() : undefined;
  try {
    await Promise.all(poolOf(port, connections).map(client));
  } finally {
    rest?.();
  }
  return {
    requests: latencies.count,
    wallMillis: finished - begin,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
  };
}

/**
 * Keeps this core from sleeping. Waking it would be the server's work, 3 to 5 µs an answer on a virtual machine, and only
 * of servers that are slower than the generator: the fast ones would look better than they are.
 */
function stayAwake(): () => void {
  let isAwake = true;
  const turn = (): void => {
    if (isAwake) setImmediate(turn);
  };
  turn();
  return () => {
    isAwake = false;
  };
}

function prepared(port: number, path: string): readonly Uint8Array[] {
  const key = `${port} ${path}`;
  const known = requests.get(key);
  if (known !== undefined) return known;
  const made = (cookies.get(port) ?? []).map((cookie) => formatRequest(path, cookie));
  requests.set(key, made);
  return made;
}

function poolOf(port: number, size: number): Connection[] {
  const pool = pools.get(port) ?? [];
  pools.set(port, pool);
  while (pool.length < size) pool.push(new Connection(port));
  return pool.slice(0, size);
}

function cookiesOf(head: string): string {
  const pairs = [...head.matchAll(/^set-cookie: ([^;\r\n]*)/gim)].map((match) => match[1] ?? "");
  return pairs.join("; ");
}
