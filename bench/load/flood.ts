import { setTimeout as pause } from "node:timers/promises";
import { serveParent } from "../method/serve-parent.ts";
import { Connection, formatRequest } from "./connection.ts";
import { Latencies } from "./latencies.ts";

/** Requests that come when they come, whatever the server does. */
export interface FloodOrder {
  readonly port: number;
  readonly milliseconds: number;
  /** Requests per second of those who are signed in; only these are timed. */
  readonly signedIn: number;
  /** Requests per second of new visitors, each without a cookie. */
  readonly newcomers: number;
}

export interface FloodReport {
  readonly signedIn: number;
  readonly newcomers: number;
  /** Newcomers that could not be sent because every connection was waiting. */
  readonly unsent: number;
  /** Milliseconds, of those who are signed in. */
  readonly p50: number;
  readonly p99: number;
}

const CLIENTS = 200;
const CONNECTIONS = 128;
/** Milliseconds between two bursts. */
const TICK = 2;
const NEWCOMER = formatRequest("/", undefined);

let cookies: string[] = [];

serveParent({ begin, flood });

async function begin(port: number): Promise<void> {
  const connection = new Connection(port);
  cookies = [];
  for (let client = 0; client < CLIENTS; client++) {
    const { head } = await connection.request(`/start?user=u${client}`, undefined);
    cookies.push(/^set-cookie: ([^;]*)/im.exec(head)?.[1] ?? "");
  }
  connection.close();
}

async function flood(order: FloodOrder): Promise<FloodReport> {
  const known = cookies.map((cookie) => formatRequest("/", cookie));
  const idleKnown = Array.from({ length: CONNECTIONS }, () => new Connection(order.port));
  const idleNew = Array.from({ length: CONNECTIONS }, () => new Connection(order.port));
  const all = [...idleKnown, ...idleNew];
  const latencies = new Latencies();
  const failures: Error[] = [];
  let newcomers = 0;
  let unsent = 0;

  /** Requests whose time has come while every connection waits; their latency runs from that time on. */
  const due: { index: number; at: number }[] = [];
  const sendKnown = (index: number, at: number): void => {
    const connection = idleKnown.pop();
    if (connection === undefined) {
      due.push({ index, at });
      return;
    }
    const done = (text: string): void => {
      latencies.add(performance.now() - at);
      idleKnown.push(connection);
      // An evicted user would be answered as a stranger, which is not what is timed here.
      if (!text.includes(`"user":"u${index % CLIENTS}"`)) failures.push(new Error(text));
      const next = due.shift();
      if (next !== undefined) sendKnown(next.index, next.at);
    };
    connection.send(known[index % CLIENTS] as Uint8Array, done, (error) => failures.push(error));
  };
  const sendNew = (): void => {
    const connection = idleNew.pop();
    if (connection === undefined) {
      unsent += 1;
      return;
    }
    newcomers += 1;
    connection.send(
      NEWCOMER,
      () => idleNew.push(connection),
      (error) => failures.push(error),
    );
  };

  const begunAt = performance.now();
  let sentKnown = 0;
  let sentNew = 0;
  for (;;) {
    const elapsed = performance.now() - begunAt;
    if (elapsed >= order.milliseconds) break;
    for (; sentKnown < (elapsed / 1000) * order.signedIn; sentKnown++) {
      sendKnown(sentKnown, begunAt + (sentKnown / order.signedIn) * 1000);
    }
    for (; sentNew < (elapsed / 1000) * order.newcomers; sentNew++) sendNew();
    await pause(TICK);
  }
  while (idleKnown.length < CONNECTIONS && failures.length === 0) await pause(TICK);
  for (const connection of all) connection.close();
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return {
    signedIn: latencies.count,
    newcomers,
    unsent,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
  };
}
