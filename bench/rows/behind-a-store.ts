import {
  added,
  compare,
  cpuPerOperation,
  figure,
  interleave,
  rate,
  type Samples,
  share,
} from "../method/rounds.ts";
import { type Expectations, LoadGenerator, ServerUnderTest } from "../method/server.ts";
import { spread } from "../method/statistics.ts";
import { number, range, type Table } from "../report/finding.ts";
import type { Context } from "./row.ts";

const SESSIONS = 1000;

/** What competes behind one store. */
export interface Competition {
  /** The file in servers/. */
  readonly host: string;
  readonly title: string;
  /** Where the store is: the server's third argument. */
  readonly place: string;
  readonly variants: readonly string[];
}

/** Express in front of one store: all variants, round by round. */
export async function compete(
  { host, title, place, variants }: Competition,
  { pace, say }: Context,
): Promise<{ samples: Samples; table: Table }> {
  const load = new LoadGenerator();
  const servers = variants.map(
    (variant) =>
      new ServerUnderTest({
        host,
        variant,
        load,
        expected: { ...expectations(variant), sharesLoadCore: host !== "sqlite" },
        args: [place],
      }),
  );
  try {
    say(`${title}: ${variants.join(", ")}`);
    for (const server of servers) await server.begin(SESSIONS);
    const samples = await interleave(servers, {
      ...pace,
      warmUpOperations: pace.warmUpOperations / 4,
    });
    for (const server of servers) await server.checkCounts();
    return { samples, table: table(title, samples, servers) };
  } finally {
    for (const server of servers) await server.stop();
    await load.stop();
  }
}

function expectations(variant: string): Expectations {
  const counts = variant === "ours" || variant.startsWith("row a request");
  return {
    knowsUsers: variant !== "bare",
    lines: counts || variant.endsWith("-log") ? 3 : 0,
    counts,
    settles: variant === "ours",
  };
}

function table(title: string, samples: Samples, servers: readonly ServerUnderTest[]): Table {
  return {
    title: `${title}, ${SESSIONS} sessions, 32 connections`,
    columns: ["variant", "requests/s", "share of bare", "µs CPU a request", "adds µs", "p50 ms"],
    rows: servers.map(({ name, latencies }) => [
      name,
      range(figure(samples, name, rate)),
      name === "bare" ? "" : range(compare(samples, name, "bare", share)),
      range(figure(samples, name, cpuPerOperation)),
      name === "bare" ? "" : range(compare(samples, name, "bare", added)),
      number(spread(latencies).median),
    ]),
  };
}
