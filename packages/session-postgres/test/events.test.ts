import type { StoreEvent } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, NO_LIMITS, newSession } from "./fixtures.ts";
import { Bench } from "./harness.ts";
import { eventually } from "./patience.ts";

/** Longer than the time between two looks at the events. */
const PATIENCE = 5000;

describeWithServer("postgres", "events", (server) => {
  let bench: Bench;
  beforeAll(async () => {
    // What is acknowledged must survive the end of the server here.
    bench = await Bench.on(server().url, { options: "-c synchronous_commit=on" });
  });
  afterAll(() => bench.stop());

  async function listening(): Promise<pg.Client> {
    const client = new pg.Client(server().url);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  it("of other processes are heard, with a listening connection well before the next look", async () => {
    const listener = await listening();
    const elsewhere = await listening();
    const here = bench.store({ listener });
    const there = bench.store({ listener: elsewhere });
    const heard: StoreEvent[] = [];
    here.subscribe((event) => heard.push(event));
    // Whatever this store does is done after the subscription stands.
    await here.create(newSession("own"), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(1));
    const before = performance.now();
    await there.create(newSession("theirs", { userId: "ann" }), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(2));
    expect(performance.now() - before).toBeLessThan(900);
    expect(heard[1]).toMatchObject({
      type: "created",
      sessionId: newSession("theirs").id,
      userId: "ann",
    });
    await here.close();
    await there.close();
    await listener.end();
    await elsewhere.end();
  });

  it("go on when the listening connection is lost, and none is missed", async () => {
    await bench.empty();
    const listener = await listening();
    const here = bench.store({ listener });
    const there = bench.store();
    const heard: StoreEvent[] = [];
    here.subscribe((event) => heard.push(event));
    await here.create(newSession("first"), NO_LIMITS, call);
    const { rows } = await listener.query("SELECT pg_backend_pid() AS pid");
    await bench.pool.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
    await there.create(newSession("second"), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(2));
    await here.close();
  });

  it("of a transaction that commits late are heard then, those of others before, and each once", async () => {
    await bench.empty();
    const store = bench.store();
    const heard: string[] = [];
    store.subscribe(({ sessionId }) => heard.push(sessionId));
    const slow = await listening();
    await slow.query("BEGIN");
    await slow.query(
      `INSERT INTO "${bench.schema}".kyb_session_events (type, session_id, at) VALUES ('ended', 'late', 1)`,
    );
    for (const label of ["a", "b"]) await store.create(newSession(label), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(2));
    await slow.query("COMMIT");
    await store.create(newSession("c"), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(4));
    expect([...heard].sort()).toEqual(
      ["late", ...["a", "b", "c"].map((label) => newSession(label).id)].sort(),
    );
    await slow.end();
    await store.close();
  });

  it("are heard after an outage: nothing that happened meanwhile is missed", async () => {
    await bench.empty();
    const here = bench.store();
    const heard: string[] = [];
    here.subscribe(({ sessionId }) => heard.push(sessionId));
    await here.create(newSession("before"), NO_LIMITS, call);
    await eventually(PATIENCE, async () => expect(heard).toHaveLength(1));
    await server().kill();
    await server().restart();
    const there = bench.store();
    await eventually(PATIENCE, async () => there.create(newSession("after"), NO_LIMITS, call));
    await eventually(2 * PATIENCE, async () => expect(heard).toHaveLength(2));
    await here.close();
  });
});
