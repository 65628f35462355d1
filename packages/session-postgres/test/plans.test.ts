import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Parameter } from "../src/connection.ts";
import { namesOf } from "../src/identifiers.ts";
import { type ListContext, pageStatement, probeStatement } from "../src/listing.ts";
import { call, newSession, queryOf } from "./fixtures.ts";
import { Bench } from "./harness.ts";

const SESSIONS = 20_000;

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}

describeWithServer("postgres", `one page among ${SESSIONS} sessions`, (server) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.on(server().url);
    const store = bench.store();
    for (let first = 0; first < SESSIONS; first += 100) {
      const sessions = Array.from({ length: 100 }, (_, each) => recordOf(first + each));
      await store.import(sessions, call);
    }
    await bench.pool.query(`ANALYZE "${bench.schema}".kyb_session`);
  }, 120_000);
  afterAll(() => bench.stop());

  const now = Date.now();
  const recordOf = (index: number) => {
    // 500 sessions for each of 20 users, every second one anonymous.
    const userId = index % 2 === 0 ? undefined : `user ${index % 40}`;
    const { metadata, metadataBytes, secretHash, transport, userAgent } = newSession("x");
    const createdAt = now - index;
    const state = {
      id: newSession(String(index)).id,
      secretHash,
      transport,
      epoch: 0,
      version: 0,
      userId,
      ipAddress: `192.0.${index % 250}.${index % 7}`,
      userAgent,
      createdAt,
      secretIssuedAt: createdAt,
      authenticatedAt: undefined,
      idleTimeout: 3_600_000,
      absoluteEnd: now + 86_400_000,
      provisionalEnd: undefined,
      metadata,
      metadataBytes,
      retired: [],
      pending: undefined,
    };
    const record = {
      state,
      lastAccessTime: createdAt,
      lastActivityTime: createdAt,
      requestCount: 0,
      confirmed: true,
      endedAt: undefined,
      endReason: undefined,
    };
    return { record, entries: [] };
  };

  /** Rows of the sessions that the statement looked at, and how. */
  async function costOf(statement: { text: string; params: readonly Parameter[] }) {
    const { rows } = await bench.pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}`, [
      ...statement.params,
    ]);
    const [{ Plan: root }] = (rows[0] as { "QUERY PLAN": [{ Plan: Plan }] })["QUERY PLAN"];
    const nodes = flatten(root).filter((node) => node["Relation Name"] === "kyb_session");
    return {
      ways: new Set(nodes.map((node) => node["Node Type"])),
      rows: nodes.reduce(
        (sum, node) =>
          sum +
          (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"],
        0,
      ),
    };
  }

  const context = (): ListContext => ({
    names: namesOf(bench.schema, "kyb_session"),
    now: null,
    endedRetention: 1000,
    place: undefined,
  });
  const place = { time: now - 10_000, id: newSession("10000").id, skip: 0 };

  it("of one user's sessions reads that user's index", async () => {
    const query = queryOf({ userId: "user 7", status: "active", limit: 20 });
    const page = await costOf(pageStatement(query, context()));
    expect(page.ways).not.toContain("Seq Scan");
    // The page, and the count of this user's 500 sessions.
    expect(page.rows).toBeLessThan(600);
  });

  it("of all sessions reads as many as it shows, at either end and in the middle, in either order", async () => {
    for (const sort of ["createdAt", "lastAccessTime"] as const) {
      for (const direction of ["ascending", "descending"] as const) {
        for (const status of ["active", "all"] as const) {
          for (const from of [undefined, place]) {
            const query = queryOf({ sort, direction, status, limit: 20 });
            const cost = await costOf(pageStatement(query, { ...context(), place: from }));
            const what = JSON.stringify([sort, direction, status, from]);
            expect(cost.ways, what).not.toContain("Seq Scan");
            expect(cost.rows, what).toBeLessThan(150);
          }
        }
      }
    }
  });

  it("of a search reads what it finds, and gives up counting where that is much", async () => {
    for (const [search, most] of [
      ["user 7", 1100],
      ["192.0.3.1", 400],
      [newSession("5").id, 10],
      ["user", 3500],
    ] as const) {
      const query = queryOf({ search, status: "active", limit: 20 });
      const probe = await costOf(probeStatement(query, context()));
      expect(probe.ways, search).not.toContain("Seq Scan");
      expect(probe.rows, search).toBeLessThan(most);
    }
    const store = bench.store();
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await store.list(
        queryOf({ search: "user", status: "active", limit: 1000, cursor }),
        call,
      );
      for (const { state } of page.records) seen.add(state.id);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.size).toBe(SESSIONS / 2);
  });
});

function flatten(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)];
}
