import type { StoreUnderTest } from "@kyb/session-testkit";
import pg from "pg";
import { namesOf } from "../src/identifiers.ts";
import { type PostgresStore, type PostgresStoreOptions, postgresStore } from "../src/index.ts";
import { within } from "./patience.ts";

/** A database with the store's tables, which many stores use one after the other. */
export class Bench {
  readonly pool: PostgresStoreOptions["pool"];
  readonly schema: string;
  readonly #stop: () => Promise<void>;

  constructor(pool: PostgresStoreOptions["pool"], schema: string, stop: () => Promise<void>) {
    this.pool = pool;
    this.schema = schema;
    this.#stop = stop;
  }

  /** In a schema of its own on this server; nothing waits for the disk. */
  static async on(url: string, settings: pg.PoolConfig = {}): Promise<Bench> {
    const schema = `kyb_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
    const options = "-c synchronous_commit=off";
    const pool = new pg.Pool({ connectionString: url, options, max: 8, ...settings });
    // Connections that a test's server drops; who needs them hears of it.
    pool.on("error", () => undefined);
    await postgresStore({ pool, schema }).migrate();
    return new Bench(pool, schema, async () => {
      await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
      await pool.end();
    });
  }

  store(options: Partial<PostgresStoreOptions> = {}): PostgresStore {
    return postgresStore({ pool: this.pool, schema: this.schema, ...options });
  }

  /** An empty store whose clock the suite sets. */
  async open(): Promise<StoreUnderTest> {
    await this.empty();
    let time = 0;
    let heard = 0;
    const store = this.store({ clock: { now: () => time } });
    let wake = (): void => undefined;
    store.subscribe(() => {
      heard++;
      wake();
    });
    return {
      store,
      setTime: (now) => {
        time = now;
      },
      settle: async () => {
        const told = await this.count(namesOf(this.schema, "kyb_session").events);
        const all = new Promise<void>((resolve) => {
          wake = () => {
            if (heard >= told) resolve();
          };
          wake();
        });
        await within(5000, all, () => `${heard} of ${told} events were heard`);
      },
    };
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.pool.query(`SELECT count(*)::float8 AS count FROM ${table}`);
    return (rows[0] as { count: number }).count;
  }

  /** Forgets everything. Deleting is faster than truncating where there is little. */
  async empty(): Promise<void> {
    const names = namesOf(this.schema, "kyb_session");
    const { sessions, activity, windows, endpoints, users, batches, events, counters, peak } =
      names;
    const emptied = [sessions, activity, windows, endpoints, users, batches, events, counters];
    await this.pool.query(`DO $$ BEGIN
      ${emptied.map((table) => `DELETE FROM ${table};`).join(" ")}
      INSERT INTO ${counters} (shard) SELECT generate_series(0, 15);
      UPDATE ${peak} SET sessions = 0, at = 0;
    END $$`);
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}
