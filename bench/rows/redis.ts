import { compare, figure, rate, share } from "../method/rounds.ts";
import { LoadGenerator, ServerUnderTest } from "../method/server.ts";
import { Service } from "../method/service.ts";
import { TripCounter } from "../method/trips.ts";
import { atLeast, atMost, type Finding, type RowReport } from "../report/finding.ts";
import { compete } from "./behind-a-store.ts";
import type { Context, Row } from "./row.ts";

/** Requests whose round trips are counted. */
const COUNTED = 100;

/** T9 and T10: Express behind one Redis. */
export const row: Row = {
  name: "redis",
  targets: ["T9", "T10"],
  run: async (context) => {
    const redis = await Service.start("redis");
    try {
      const timed = await throughput(redis.place.url, context);
      const trips = await roundTrips(redis.place.port, context);
      return { tables: timed.tables, findings: [...timed.findings, ...trips], notes: [] };
    } finally {
      await redis.stop();
    }
  },
};

async function throughput(place: string, context: Context): Promise<RowReport> {
  const variants = ["bare", "one GET", "ours", "connect-redis", "connect-redis-log"];
  const title = "Express behind Redis";
  const { samples, table } = await compete({ host: "redis", title, place, variants }, context);
  const limits: Readonly<Record<string, number>> = {
    "one GET": 0.85,
    "connect-redis": 1.6,
    "connect-redis-log": 4,
  };
  return {
    tables: [table],
    findings: Object.entries(limits).map(([other, limit]) => {
      const ratio = compare(samples, "ours", other, share);
      return atLeast({
        target: "T9",
        subject: `${title}: throughput, of ${other}'s (${Math.round(figure(samples, other, rate).median)}/s)`,
        value: ratio.median,
        spread: ratio,
        limit,
        unit: "×",
      });
    }),
    notes: [],
  };
}

/** One request after the other, with nothing flushed meanwhile: what crosses the wire is what requests wait for. */
async function roundTrips(port: number, { say }: Context): Promise<Finding[]> {
  say("Express behind Redis: round trips");
  const counter = await TripCounter.before(port);
  const load = new LoadGenerator();
  const expected = { knowsUsers: true, lines: 0, counts: false };
  const args = [`redis://127.0.0.1:${counter.port}`];
  const variant = "ours, unflushed";
  const server = new ServerUnderTest({ host: "redis", variant, load, expected, args });
  try {
    await server.begin(8);
    const count = async (path: string): Promise<number> => {
      // Each client once before: a first request confirms that its cookie has come back.
      for (let client = 0; client < 8; client++)
        await load.get({ port: server.port, path, client });
      const before = counter.trips;
      for (let request = 0; request < COUNTED; request++) {
        const { status } = await load.get({ port: server.port, path, client: request % 8 });
        if (status !== 200) throw new Error(`${path} answered ${status}.`);
      }
      return (counter.trips - before) / COUNTED;
    };
    return [
      atMost({
        target: "T10",
        subject: "Redis round trips, reading",
        value: await count("/"),
        limit: 1,
        unit: "",
      }),
      atMost({
        target: "T10",
        subject: "Redis round trips, writing",
        value: await count("/write"),
        limit: 2,
        unit: "",
      }),
    ];
  } finally {
    await server.stop();
    await load.stop();
    counter.stop();
  }
}
