import { SessionError, type StoreCall } from "@kyb/session-core/store";
import { Connection, type Parameter } from "./connection.ts";
import { type Names, namesOf } from "./identifiers.ts";
import type { PostgresStoreOptions } from "./options.ts";
import { migrationSql, SCHEMA_VERSION } from "./schema/migration.ts";
import { ServerClock } from "./server-clock.ts";

/** What the functions that change something answer. */
export interface Reply {
  readonly status: string;
  /** The time by which it was done, epoch milliseconds. */
  readonly now: number;
  readonly record?: unknown;
  readonly limit?: string;
  readonly bytes?: number;
  readonly key?: string;
  readonly ids?: readonly string[];
  readonly gone?: readonly number[];
  readonly ended?: number;
}

/** The store's functions in the database, and whether they are those that this program knows. */
export class Database {
  readonly names: Names;
  readonly connection: Connection;
  readonly clock: ServerClock = new ServerClock();
  localNow: () => number = Date.now;
  isClosed = false;
  readonly #testClock: PostgresStoreOptions["clock"];
  #known: Promise<void> | undefined;

  constructor({ pool, schema = "public", table = "kyb_session", clock }: PostgresStoreOptions) {
    this.names = namesOf(schema, table);
    this.connection = new Connection(pool);
    this.#testClock = clock;
  }

  /** The time that is passed to the database; null: it has its own. */
  get now(): number | null {
    return this.#testClock?.now() ?? null;
  }

  check(): void {
    if (!this.isClosed) return;
    throw new SessionError("STORE_UNAVAILABLE", "The session store has been closed.");
  }

  async migrate(): Promise<void> {
    this.check();
    await this.connection.value(migrationSql(this.names), []);
    await this.#know();
  }

  /** Calls a function that changes something; the time is its last parameter. */
  async change(name: string, params: readonly Parameter[], call: StoreCall): Promise<Reply> {
    const before = this.localNow();
    const reply = (await this.ask(name, params, call)) as Reply;
    this.clock.learn(reply.now, before, this.localNow());
    return reply;
  }

  /** Calls a function; the time is its last parameter. Answers what its JSON says, null for nothing. */
  async ask(name: string, params: readonly Parameter[], call: StoreCall): Promise<unknown> {
    const places = Array.from({ length: params.length + 1 }, (_, index) => `$${index + 1}`);
    const text = `SELECT ${this.names.fn(name)}(${places.join(", ")}) AS answer`;
    return this.query(text, [...params, this.now], call);
  }

  /** The answer of a statement whose one value is JSON. */
  async query(text: string, params: readonly Parameter[], call: StoreCall): Promise<unknown> {
    this.check();
    await this.#know(call);
    const answer = await this.connection.value(text, params, call);
    return typeof answer === "string" ? JSON.parse(answer) : answer;
  }

  /** Looks once whether the database is as it must be; a failure is looked at again by the next call. */
  #know(call?: StoreCall): Promise<void> {
    this.#known ??= this.#look(call).catch((error: unknown) => {
      this.#known = undefined;
      throw error;
    });
    return this.#known;
  }

  async #look(call: StoreCall | undefined): Promise<void> {
    const answer = await this.connection.value(
      `SELECT json_build_array((SELECT max(version) FROM ${this.names.meta}),
        current_setting('transaction_isolation'), pg_is_in_recovery())::text AS answer`,
      [],
      call,
    );
    const [version, isolation, isStandby] = JSON.parse(String(answer)) as [
      unknown,
      unknown,
      unknown,
    ];
    if (version !== SCHEMA_VERSION) {
      throw misconfigured(
        `The store's tables are of version ${String(version)}, this program needs ${SCHEMA_VERSION}: run \`await store.migrate()\` with the newest program, and the same version everywhere.`,
      );
    }
    if (isolation !== "read committed") {
      throw misconfigured(
        `The store needs the isolation level "read committed", the pool's connections begin with "${String(isolation)}". Look at default_transaction_isolation.`,
      );
    }
    if (isStandby === true) {
      throw misconfigured(
        "The pool is connected to a standby, where a session that was ended may still be live. Connect it to the primary.",
      );
    }
  }
}

function misconfigured(message: string): SessionError {
  return new SessionError("STORE_MISCONFIGURED", message);
}
