import { Child } from "../method/child.ts";
import { SERVER_CORE } from "../method/cores.ts";
import { Service } from "../method/service.ts";
import {
  atMost,
  type Finding,
  known,
  number,
  type RowReport,
  type Table,
} from "../report/finding.ts";
import type { Listing, Swept } from "../workers/store-at-scale.ts";
import type { Context, Row } from "./row.ts";

const FEW = 10_000;
/** Microseconds above which Redis notes a command. */
const SLOW = 1000;
/** A page may cost this much more among many sessions: what a deeper index costs, and noise. */
const GROWTH = 1.5;

/** Listing among few and many sessions, and a sweep of all of them, in Redis and Postgres. */
export const rows: readonly Row[] = (["redis", "postgres"] as const).map((kind) => ({
  name: `${kind}-at-scale`,
  targets: kind === "redis" ? ["T6", "T7"] : ["T7"],
  run: async (context): Promise<RowReport> => {
    const service = await Service.start(kind);
    const worker = new Child(new URL("../workers/store-at-scale.ts", import.meta.url), {
      core: SERVER_CORE,
    });
    try {
      await worker.ask("open", { kind, url: service.place.url });
      const few = await listings(worker, kind, FEW, context);
      const many = await listings(worker, kind, context.million, context);
      const report = compared(kind, few, many, context);
      if (kind === "postgres") return { ...report, notes: [] };
      const swept = await sweep(worker, service, context);
      return {
        tables: [...report.tables, ...swept.tables],
        findings: [...report.findings, ...swept.findings],
        notes: [],
      };
    } finally {
      await worker.stop();
      await service.stop();
    }
  },
}));

async function listings(
  worker: Child,
  kind: string,
  count: number,
  { isQuick, say }: Context,
): Promise<Record<string, Listing>> {
  say(`${kind}: listing among ${number(count)} sessions`);
  await worker.ask("fill", count);
  return worker.ask("list", isQuick ? 50 : 300);
}

function compared(
  kind: string,
  few: Record<string, Listing>,
  many: Record<string, Listing>,
  { million }: Context,
): { tables: Table[]; findings: Finding[] } {
  const among = `${number(FEW)} and ${number(million)} sessions`;
  return {
    tables: [
      {
        title: `Listing in ${kind}, ms`,
        columns: [
          "page",
          `among ${number(FEW)}: median`,
          "p99",
          `among ${number(million)}: median`,
          "p99",
        ],
        rows: Object.entries(few).map(([name, listing]) => [
          name,
          number(listing.median),
          number(listing.p99),
          number(many[name]?.median ?? Number.NaN),
          number(many[name]?.p99 ?? Number.NaN),
        ]),
      },
    ],
    findings: ["one user's, page of 50", "everybody's, page of 50 by cursor"].map((name) =>
      atMost({
        target: "T7",
        subject: `Listing in ${kind}, ${name}: growth between ${among}`,
        value: (many[name]?.median ?? Number.NaN) / (few[name]?.median ?? Number.NaN),
        limit: GROWTH,
        unit: "×",
      }),
    ),
  };
}

/** Everything is due; Redis itself says which of its commands took long. */
async function sweep(
  worker: Child,
  redis: Service,
  { million, say }: Context,
): Promise<{ tables: Table[]; findings: Finding[] }> {
  say(`redis: sweeping ${number(million)} sessions`);
  await redis.command("CONFIG", "SET", "slowlog-log-slower-than", String(SLOW));
  await redis.command("CONFIG", "SET", "slowlog-max-len", "1000");
  await redis.command("SLOWLOG", "RESET");
  const swept = await worker.ask<Swept>("sweep");
  const slow = await redis.command<unknown[][]>("SLOWLOG", "GET", "-1");
  const slowest = Math.max(0, ...slow.map((entry) => Number(entry[2]) / 1000));
  const subject = `Sweep of ${number(swept.ended)} sessions in Redis`;
  return {
    tables: [],
    findings: [
      atMost({
        target: "T6",
        subject: `${subject}: longest command`,
        value: slowest,
        limit: 5,
        unit: "ms",
      }),
      atMost({
        target: "T6",
        subject: `${subject}: longest block of the event loop`,
        value: swept.longestBlock,
        limit: 5,
        unit: "ms",
      }),
      known(
        "T6",
        subject,
        `${number(swept.seconds)} s in ${number(swept.slices)} slices; longest pause for garbage ${number(swept.collection)} ms`,
        swept.seconds,
      ),
    ],
  };
}
