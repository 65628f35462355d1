import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, type Samples, share } from "../method/rounds.ts";
import { Service } from "../method/service.ts";
import { atLeast, type Finding } from "../report/finding.ts";
import { compete } from "./behind-a-store.ts";
import type { Row } from "./row.ts";

const LIMIT = 3;

/** T11, Postgres: Express behind one server that syncs to the disk, as it comes. */
export const postgres: Row = {
  name: "postgres",
  targets: ["T11"],
  run: async (context) => {
    const server = await Service.start("postgres");
    try {
      const variants = ["bare", "ours", "connect-pg-simple", "connect-pg-simple-log"];
      const competition = {
        host: "postgres",
        title: "Express behind Postgres",
        place: server.place.url,
        variants,
      };
      const { samples, table } = await compete(competition, context);
      return {
        tables: [table],
        findings: findings(samples, competition.title, variants.slice(2)),
        notes: [],
      };
    } finally {
      await server.stop();
    }
  },
};

/** T11, SQLite: Express on a file, against one row written for each request. */
export const sqlite: Row = {
  name: "sqlite",
  targets: ["T11"],
  run: async (context) => {
    const place = mkdtempSync(join(tmpdir(), "bench-"));
    try {
      const variants = ["bare", "ours", "row a request, synced", "row a request, not synced"];
      const competition = { host: "sqlite", title: "Express on SQLite", place, variants };
      const { samples, table } = await compete(competition, context);
      return {
        tables: [table],
        findings: findings(samples, competition.title, variants.slice(2)),
        notes: [],
      };
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
};

function findings(samples: Samples, title: string, others: readonly string[]): Finding[] {
  return others.map((other) => {
    const ratio = compare(samples, "ours", other, share);
    return atLeast({
      target: "T11",
      subject: `${title}: throughput, of ${other}`,
      value: ratio.median,
      spread: ratio,
      limit: LIMIT,
      unit: "×",
    });
  });
}
