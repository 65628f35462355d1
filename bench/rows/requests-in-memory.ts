import {
  added,
  compare,
  cpuPerOperation,
  figure,
  interleave,
  rate,
  type Sample,
  type Samples,
  share,
} from "../method/rounds.ts";
import { type Expectations, LoadGenerator, ServerUnderTest } from "../method/server.ts";
import { spread } from "../method/statistics.ts";
import { atLeast, atMost, type Finding, known, range, type Table } from "../report/finding.ts";
import type { Context, Row } from "./row.ts";

const SESSIONS = 1000;

/** Who competes on one host. */
interface Host {
  readonly name: string;
  readonly title: string;
  readonly peer: string;
  /** The peer with the same timeline kept in the session, or the nearest it can do. */
  readonly peerWithLog: string;
  /** Further ones, left out of a quick run. */
  readonly others: readonly string[];
}

const HOSTS: readonly Host[] = [
  {
    name: "express",
    title: "Express 5",
    peer: "express-session",
    peerWithLog: "express-session-log",
    others: ["memorystore", "memorystore-log"],
  },
  {
    name: "koa",
    title: "Koa 3",
    peer: "koa-session",
    peerWithLog: "koa-session-log",
    others: [],
  },
  {
    name: "hono",
    title: "Hono on Node",
    peer: "hono-sessions",
    peerWithLog: "hono-sessions-log",
    others: [],
  },
  {
    name: "node",
    title: "node:http",
    peer: "iron-session",
    peerWithLog: "iron-session-save",
    others: ["core alone"],
  },
];

/** T1 and T2: one request on each host, with its session in memory. */
export const rows: readonly Row[] = HOSTS.map((host) => ({
  name: host.name,
  targets: ["T1", "T2"],
  run: async (context: Context) => {
    const samples = await measure(host, context);
    return { tables: [table(host, samples)], findings: findings(host, samples), notes: [] };
  },
}));

async function measure(host: Host, { isQuick, pace, say }: Context): Promise<Samples> {
  const names = ["bare", "floor-sha", "ours", host.peer, host.peerWithLog];
  if (!isQuick) names.push("floor", ...host.others);
  const load = new LoadGenerator();
  const servers = names.map(
    (variant) =>
      new ServerUnderTest({ host: host.name, variant, load, expected: expectations(variant) }),
  );
  try {
    say(`${host.title}: ${names.join(", ")}`);
    for (const server of servers) await server.begin(SESSIONS);
    const samples = await interleave(servers, pace);
    for (const server of servers) await server.checkCounts();
    return samples;
  } finally {
    for (const server of servers) await server.stop();
    await load.stop();
  }
}

function expectations(variant: string): Expectations {
  const counts = variant === "ours" || variant === "core alone" || variant.startsWith("floor");
  return {
    knowsUsers: variant !== "bare",
    lines: counts || variant.endsWith("-log") ? 3 : 0,
    counts,
  };
}

function table(host: Host, samples: Samples): Table {
  return {
    title: `A request in memory, ${host.title}, ${SESSIONS} sessions, 32 connections`,
    columns: [
      "variant",
      "µs CPU a request",
      "adds µs",
      "× floor",
      "requests/s",
      "share of bare",
      "server busy",
    ],
    rows: [...samples.keys()].map((name) => [
      name,
      range(figure(samples, name, cpuPerOperation)),
      name === "bare" ? "" : range(compare(samples, name, "bare", added)),
      name === "bare" ? "" : range(overFloor(samples, name)),
      range(figure(samples, name, rate)),
      range(compare(samples, name, "bare", share)),
      range(figure(samples, name, busy)),
    ]),
  };
}

function findings(host: Host, samples: Samples): Finding[] {
  const adds = compare(samples, "ours", "bare", added);
  const floor = overFloor(samples, "ours");
  const without = overAdded(samples, "ours", host.peer);
  const withLog = overAdded(samples, "ours", host.peerWithLog);
  const throughput = compare(samples, "ours", "floor-sha", share);
  const { title } = host;
  return [
    known("T1", `${title}: added CPU per request`, `${range(adds)} µs`, adds.median),
    atMost({
      target: "T1",
      subject: `${title}: added CPU, of the floor with SHA-256`,
      value: floor.median,
      spread: floor,
      limit: 1.5,
      unit: "×",
    }),
    atMost({
      target: "T1",
      subject: `${title}: added CPU, of ${host.peer}`,
      value: without.median,
      spread: without,
      limit: 1 / 6,
      unit: "×",
    }),
    atMost({
      target: "T1",
      subject: `${title}: added CPU, of ${host.peerWithLog}`,
      value: withLog.median,
      spread: withLog,
      limit: 1 / 20,
      unit: "×",
    }),
    atLeast({
      target: "T2",
      subject: `${title}: throughput, of the floor's`,
      value: throughput.median,
      spread: throughput,
      limit: 0.93,
      unit: "×",
    }),
  ];
}

function overFloor(samples: Samples, name: string): ReturnType<typeof spread> {
  return overAdded(samples, name, "floor-sha");
}

/** What one adds to the bare host over what another adds, round by round. */
function overAdded(samples: Samples, left: string, right: string): ReturnType<typeof spread> {
  const bare = samples.get("bare") ?? [];
  const adds = (name: string, round: number): number => {
    const sample = samples.get(name)?.[round];
    const host = bare[round];
    return sample === undefined || host === undefined ? Number.NaN : added(sample, host);
  };
  return spread(bare.map((_, round) => adds(left, round) / adds(right, round)));
}

/** Share of the time that the server's core was at work: near 1, or the load generator was the limit. */
function busy(sample: Sample): number {
  return sample.cpuMicros / sample.wallMillis / 1000;
}
