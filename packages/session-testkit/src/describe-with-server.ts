import { afterAll, beforeAll, describe, it } from "vitest";
import { countInto } from "./conformance-count.ts";
import { missingServer, type ServerKind } from "./servers/missing-server.ts";
import { type PostgresOptions, type PostgresServer, startPostgres } from "./servers/postgres.ts";
import { type RedisOptions, type RedisServer, startRedis } from "./servers/redis.ts";
import {
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from "./servers/redis-cluster.ts";
import {
  type RedisSentinel,
  type RedisSentinelOptions,
  startRedisSentinel,
} from "./servers/redis-sentinel.ts";

/** What each kind of server is, and how it is made. */
export interface ServerKinds {
  redis: { readonly server: RedisServer; readonly options: RedisOptions };
  "redis-cluster": { readonly server: RedisCluster; readonly options: RedisClusterOptions };
  "redis-sentinel": { readonly server: RedisSentinel; readonly options: RedisSentinelOptions };
  postgres: { readonly server: PostgresServer; readonly options: PostgresOptions };
}

const START: {
  readonly [Kind in ServerKind]: (
    options?: ServerKinds[Kind]["options"],
  ) => Promise<ServerKinds[Kind]["server"]>;
} = {
  redis: startRedis,
  "redis-cluster": startRedisCluster,
  "redis-sentinel": startRedisSentinel,
  postgres: startPostgres,
};

/** Longest time that a start may take, milliseconds. */
const TIMEOUT = 120_000;

/**
 * A `describe` whose tests need a server: starts one before the first of them and stops it after the last. `server()`
 * answers it, in tests and hooks. Where the machine has none, one test stands for them all: skipped, with the reason
 * and how to install it, which the end of the run repeats; or failed where `CI` is set.
 */
export function describeWithServer<Kind extends ServerKind>(
  kind: Kind,
  name: string,
  body: (server: () => ServerKinds[Kind]["server"]) => void,
  options?: ServerKinds[Kind]["options"],
): void {
  const missing = missingServer(kind);
  describe(name, () => {
    if (missing !== undefined) {
      it(`needs ${kind}`, (context) => {
        countInto(context, { suite: name, missing });
        if (isCi()) throw new Error(`${missing}; with CI set every server must be there.`);
        context.skip(missing);
      });
      return;
    }
    let started: ServerKinds[Kind]["server"] | undefined;
    beforeAll(async () => {
      started = await START[kind](options);
    }, TIMEOUT);
    afterAll(() => started?.stop(), TIMEOUT);
    body(() => {
      if (started === undefined) throw new Error(`"${name}" asks for its ${kind} too early.`);
      return started;
    });
  });
}

function isCi(): boolean {
  const { CI = "" } = process.env;
  return CI !== "" && CI !== "false" && CI !== "0";
}
