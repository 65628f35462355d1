import { Child } from "../method/child.ts";
import { SERVER_CORE } from "../method/cores.ts";
import {
  type Contender,
  cpuPerOperation,
  figure,
  interleave,
  type Sample,
} from "../method/rounds.ts";
import {
  atMost,
  type Finding,
  known,
  number,
  type RowReport,
  range,
  type Table,
} from "../report/finding.ts";
import type { Collections, MemoryUse } from "../workers/heap.ts";
import type { Block, Durations } from "../workers/memory-store.ts";
import type { Context, Row } from "./row.ts";

/** Requests that the garbage is collected of. */
const TRACKED = 1_000_000;
const TRACKED_QUICK = 250_000;
const SMALL = 1000;

/** T4, T5, T6, T7 and T12: the store in memory, with many sessions in it. */
export const row: Row = {
  name: "memory-store",
  targets: ["T4", "T5", "T6", "T7", "T12"],
  run: async (context) => {
    const reports: RowReport[] = [];
    if (!context.isQuick)
      reports.push(await withWorker((worker) => size(worker, 100_000, context)));
    reports.push(
      await withWorker(async (worker) => {
        const parts = [await size(worker, context.million, context)];
        parts.push(await reads(worker, context));
        parts.push(await growth(worker, context));
        parts.push(await blocks(worker, context));
        return joined(parts);
      }),
    );
    return joined(reports);
  },
};

async function withWorker(work: (worker: Child) => Promise<RowReport>): Promise<RowReport> {
  const worker = startWorker();
  try {
    return await work(worker);
  } finally {
    await worker.stop();
  }
}

function startWorker(): Child {
  return new Child(new URL("../workers/memory-store.ts", import.meta.url), {
    core: SERVER_CORE,
    nodeArgs: ["--expose-gc"],
  });
}

/** T4 and T5. */
async function size(worker: Child, count: number, { isQuick, say }: Context): Promise<RowReport> {
  const among = `${number(count)} sessions`;
  say(`Memory: ${among} with 20 entries each`);
  const { before, after } = await worker.ask<{ before: MemoryUse; after: MemoryUse }>(
    "fill",
    count,
  );
  const heap = (after.heap - before.heap) / count;
  const raw = (after.rss - before.rss) / count;
  const rss = raw - (after.young - before.young) / count;
  const times = isQuick ? TRACKED_QUICK : TRACKED;
  say(`Memory: garbage of ${number(times)} requests`);
  const tracked = await worker.ask<Collections>("track", times);
  const visited = await worker.ask<Collections>("visits", times);
  const collections = (what: string, { total, longest }: Collections): Finding[] => [
    atMost({
      target: "T5",
      subject: `${what}, ${among}: collection per million, in all`,
      value: (total / times) * 1_000_000,
      limit: 20,
      unit: "ms",
    }),
    atMost({
      target: "T5",
      subject: `${what}, ${among}: longest pause`,
      value: longest,
      limit: 5,
      unit: "ms",
    }),
  ];
  return {
    tables: [],
    findings: [
      known("T4", `Heap and buffers a session, ${among}`, `${number(heap)} bytes`, heap),
      atMost({
        target: "T4",
        subject: `Resident memory a session without the young generation, ${among}`,
        value: rss,
        limit: 1024,
        unit: "bytes",
      }),
      known(
        "T4",
        `Resident memory a session as the system says, ${among}`,
        `${number(raw)} bytes`,
        raw,
      ),
      ...collections("Requests tracked by the store", tracked),
      ...collections("Whole requests through the manager", visited),
    ],
    notes: [],
  };
}

/** T7. */
async function reads(worker: Child, { million, isQuick, say }: Context): Promise<RowReport> {
  say("Memory: metrics, listings");
  const found = await worker.ask<Record<string, Durations>>("reads", isQuick ? 300 : 2000);
  const among = `among ${number(million)} sessions`;
  const limits: Readonly<Record<string, number>> = {
    metrics: 50,
    "one user's sessions": 100,
    "first page": 500,
    "a page by cursor": 500,
    "a page by last access": 500,
    "a search by user": 500,
  };
  const micros = (milliseconds: number): number => milliseconds * 1000;
  return {
    tables: [
      {
        title: `Reading ${among}, µs`,
        columns: ["call", "median", "p99", "longest"],
        rows: Object.entries(found).map(([name, { median, p99, longest }]) => [
          name,
          ...[median, p99, longest].map((value) => number(micros(value))),
        ]),
      },
    ],
    findings: [
      ...Object.entries(limits).map(([name, limit]) =>
        atMost({
          target: "T7",
          subject: `${capital(name)}, ${among}`,
          value: micros(found[name]?.median ?? Number.NaN),
          limit,
          unit: "µs",
        }),
      ),
      ...Object.entries(found).map(([name, { longest }]) =>
        atMost({
          target: "T6",
          subject: `${capital(name)}, ${among}: longest block`,
          value: longest,
          limit: 5,
          unit: "ms",
        }),
      ),
    ],
    notes: [],
  };
}

/** T6. */
async function blocks(worker: Child, { million, say }: Context): Promise<RowReport> {
  say("Memory: revoking one user's sessions, sweeping");
  const among = `${number(million)} sessions`;
  const revoked = await worker.ask<Block>("revoke");
  const swept = await worker.ask<Record<string, Block>>("sweeps");
  const found: [string, Block][] = [
    [`Revoking ${number(revoked.ended)} sessions of one user`, revoked],
    ...Object.entries(swept).map(([name, block]): [string, Block] => [`Sweep, ${name}`, block]),
  ];
  return {
    tables: [
      {
        title: `Longest block of the event loop, ${among}, ms`,
        columns: ["what", "sessions ended", "longest block", "longest pause for garbage in it"],
        rows: found.map(([name, { ended, longest, collection }]) => [
          name,
          number(ended),
          number(longest),
          number(collection),
        ]),
      },
    ],
    findings: found.map(([subject, { longest }]) =>
      atMost({
        target: "T6",
        subject: `${subject}, ${among}: longest block`,
        value: longest,
        limit: 5,
        unit: "ms",
      }),
    ),
    notes: [],
  };
}

/** T12: the same request among few and among many sessions, beside what a bare `Map` costs more. */
async function growth(many: Child, { pace, million, say }: Context): Promise<RowReport> {
  say("Memory: a request among few sessions and among many");
  const few = startWorker();
  const maps = ["few", "many"].flatMap((size) =>
    [false, true].map((fresh) => ({
      name: `Map, ${fresh ? "fresh" : "held"} keys, ${size}`,
      count: size === "few" ? SMALL : million,
      fresh,
      child: new Child(new URL("../workers/map.ts", import.meta.url), { core: SERVER_CORE }),
    })),
  );
  try {
    await few.ask("fill", SMALL);
    for (const { child, count, fresh } of maps) await child.ask("fill", { count, fresh });
    const contenders = [
      contender("request, few", few),
      contender("request, many", many),
      ...maps.map(({ name, child }) => contender(name, child)),
    ];
    const samples = await interleave(contenders, pace);
    const nanos = (name: string): number => figure(samples, name, cpuPerOperation).median * 1000;
    const more = nanos("request, many") - nanos("request, few");
    const held = nanos("Map, held keys, many") - nanos("Map, held keys, few");
    const fresh = nanos("Map, fresh keys, many") - nanos("Map, fresh keys, few");
    const table: Table = {
      title: `Growth from ${number(SMALL)} to ${number(million)} sessions, drawn at random, µs CPU`,
      columns: ["what", `${number(SMALL)} sessions`, `${number(million)} sessions`],
      rows: ["request", "Map, held keys", "Map, fresh keys"].map((name) => [
        name,
        range(figure(samples, `${name}, few`, cpuPerOperation)),
        range(figure(samples, `${name}, many`, cpuPerOperation)),
      ]),
    };
    const among = `from ${number(SMALL)} to ${number(million)} sessions`;
    return {
      tables: [table],
      findings: [
        atMost({
          target: "T12",
          subject: `Growth of a request ${among}`,
          value: more,
          limit: held * 1.2,
          unit: "ns",
        }),
        known(
          "T12",
          `Growth of a Map whose keys are fresh strings, ${among}`,
          `${number(fresh)} ns`,
          fresh,
        ),
      ],
      notes: [],
    };
  } finally {
    await few.stop();
    for (const { child } of maps) await child.stop();
  }
}

function contender(name: string, child: Child): Contender {
  return { name, run: (milliseconds) => child.ask<Sample>("run", milliseconds) };
}

function joined(reports: readonly RowReport[]): RowReport {
  return {
    tables: reports.flatMap(({ tables }) => tables),
    findings: reports.flatMap(({ findings }) => findings),
    notes: reports.flatMap(({ notes }) => notes),
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
