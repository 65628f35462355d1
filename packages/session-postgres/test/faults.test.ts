import { describeWithServer } from "@kyb/session-testkit";
import { type FaultHarness, type FaultTarget, faultSuite } from "@kyb/session-testkit/faults";
import type { PostgresServer } from "@kyb/session-testkit/servers";
import pg from "pg";
import { postgresStore } from "../src/index.ts";

describeWithServer("postgres", "postgres, in trouble", (server) => {
  faultSuite("postgres", harnessOf(server));
});

interface PostgresTarget extends FaultTarget {
  readonly server: PostgresServer;
  readonly schema: string;
  /** The pool of the store that is tested. */
  readonly pools: readonly pg.Pool[];
}

function harnessOf(server: () => PostgresServer): FaultHarness<PostgresTarget> {
  let opened = 0;
  let release: () => Promise<void> = async () => undefined;
  return {
    open: async () => {
      opened += 1;
      const own = server();
      const schema = `f${opened}`;
      await ask(own, (client) => postgresStore({ pool: client, schema }).migrate());
      const pools: pg.Pool[] = [];
      return {
        server: own,
        schema,
        pools,
        ports: [own.port],
        connect: ([port]) => {
          const pool = new pg.Pool({
            ...{ host: "127.0.0.1", port, user: own.user, database: "postgres", max: 10 },
            // Longer than the store's deadline, which has to hold by itself.
            connectionTimeoutMillis: 2000,
          });
          pool.on("error", () => undefined);
          pools.push(pool);
          return { store: postgresStore({ pool, schema }), close: () => pool.end() };
        },
        close: () => ask(own, (client) => client.query(`DROP SCHEMA ${schema} CASCADE`)),
      };
    },
    crash: {
      isDurable: true,
      kill: (target) => target.server.kill(),
      async restart({ server: own, schema }, how) {
        await own.restart();
        if (how === "as it was") return;
        await ask(own, async (client) => {
          await client.query(`DROP SCHEMA ${schema} CASCADE`);
          await postgresStore({ pool: client, schema }).migrate();
        });
      },
    },
    faults: [
      {
        name: "has no tables any more",
        begin: ({ server: own, schema }) =>
          ask(own, (client) => client.query(`ALTER SCHEMA ${schema} RENAME TO ${schema}_away`)),
        end: ({ server: own, schema }) =>
          ask(own, (client) => client.query(`ALTER SCHEMA ${schema}_away RENAME TO ${schema}`)),
        expects: { read: "STORE_MISCONFIGURED", write: "STORE_MISCONFIGURED" },
      },
      {
        name: "takes no writes",
        begin: ({ server: own }) => setting(own, "default_transaction_read_only = on"),
        end: ({ server: own }) => setting(own, "default_transaction_read_only = off"),
        expects: { read: "works", write: "STORE_UNAVAILABLE" },
      },
      {
        name: "lets nobody in",
        begin: async ({ server: own }) => {
          await ask(own, (client) => client.query("CREATE ROLE keeper SUPERUSER LOGIN"));
          await asKeeper(own, "ALTER ROLE postgres NOLOGIN");
          await cutOff(own, "keeper");
        },
        end: async ({ server: own }) => {
          await asKeeper(own, "ALTER ROLE postgres LOGIN");
          await ask(own, (client) => client.query("DROP ROLE keeper"));
        },
        expects: {
          read: ["STORE_MISCONFIGURED", "STORE_UNAVAILABLE"],
          write: ["STORE_MISCONFIGURED", "STORE_UNAVAILABLE"],
        },
      },
      {
        name: "has no free connection",
        begin: async ({ pools: [pool] }) => {
          if (pool === undefined) throw new Error("There is no pool.");
          const taken = await Promise.all(Array.from({ length: 10 }, () => pool.connect()));
          release = async () => {
            for (const client of taken) client.release();
          };
        },
        end: () => release(),
        expects: { read: "STORE_UNAVAILABLE", write: "STORE_UNAVAILABLE" },
      },
      {
        name: "waits for a lock that somebody holds",
        begin: async ({ server: own, schema }) => {
          const client = await connected(own);
          await client.query("BEGIN");
          await client.query(`LOCK TABLE ${schema}.kyb_session IN EXCLUSIVE MODE`);
          release = async () => {
            await client.query("ROLLBACK");
            await client.end();
          };
        },
        end: () => release(),
        expects: { read: "works", write: "STORE_UNAVAILABLE" },
      },
    ],
  };
}

async function connected({ url }: PostgresServer, user?: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url.replace("postgres@", `${user ?? "postgres"}@`),
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Does something on a connection of its own, past everything that is broken. */
async function ask(
  server: PostgresServer,
  act: (client: pg.Client) => Promise<unknown>,
  user?: string,
): Promise<void> {
  const client = await connected(server, user);
  try {
    await act(client);
  } finally {
    await client.end();
  }
}

function asKeeper(server: PostgresServer, sql: string): Promise<void> {
  return ask(server, (client) => client.query(sql), "keeper");
}

/** Ends every connection, so that clients have to make new ones. */
function cutOff(server: PostgresServer, user?: string): Promise<void> {
  const others =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
  return ask(server, (client) => client.query(others), user);
}

/** Changes a setting of the whole server, also for connections that are open. */
async function setting(server: PostgresServer, words: string): Promise<void> {
  await ask(server, async (client) => {
    await client.query(`ALTER SYSTEM SET ${words}`);
    await client.query("SELECT pg_reload_conf()");
  });
}
