import { SessionError } from "@kyb/session-core/store";
import { invalidOption } from "./refusals.ts";

/** What `redisStore` takes. */
export interface RedisStoreOptions {
  /**
   * A connected client of the package `redis` (5, 6) or `ioredis` (5, 6): for one server, for Sentinel or for a Cluster.
   * The store never closes it.
   */
  readonly client: object;
  /** How all keys and the channel begin: 1 to 64 of letters, digits, `_`, `.`, `:` and `-`. Default: `kyb:`. */
  readonly prefix?: string;
  /**
   * Into how many parts the sessions are divided, 1 to 1024; each lies on one node. Default: 64 on a Cluster, else 1. It
   * cannot be changed while sessions are there: another number is refused with `STORE_MISCONFIGURED`.
   */
  readonly shards?: number;
  /**
   * How many replicas must confirm that a session has ended before the end is called `durable`. Default: 0, which calls
   * none durable: the primary's word is all there is.
   */
  readonly replicas?: number;
  /** Milliseconds to wait for these replicas. Default: 200. */
  readonly replicaTimeout?: number;
  /** For tests: the store's time in epoch milliseconds, instead of the server's. */
  readonly clock?: { now(): number };
}

/** All options, complete and checked, but for the number of shards, which the client decides. */
export interface StoreOptions {
  readonly client: object;
  readonly prefix: string;
  readonly shards: number | undefined;
  readonly replicas: number;
  readonly replicaTimeout: number;
  readonly clock: { now(): number } | undefined;
}

const NAMES: ReadonlySet<string> = new Set<keyof StoreOptions>([
  "client",
  "prefix",
  "shards",
  "replicas",
  "replicaTimeout",
  "clock",
]);
const PREFIX = /^[\w.:-]{1,64}$/;

/** Throws `INVALID_CONFIG` naming the option, the rule and the value. */
export function storeOptions(given: RedisStoreOptions): StoreOptions {
  if (typeof given !== "object" || given === null) {
    throw new SessionError("INVALID_CONFIG", "redisStore must be given { client }.");
  }
  for (const name of Object.keys(given)) {
    if (!NAMES.has(name)) throw invalidOption(name, "an option of redisStore", name);
  }
  const { client, prefix = "kyb:", shards, replicas = 0, replicaTimeout = 200, clock } = given;
  if (typeof prefix !== "string" || !PREFIX.test(prefix)) {
    throw invalidOption("prefix", "1 to 64 letters, digits, '_', '.', ':' or '-'", prefix);
  }
  if (shards !== undefined) whole("shards", shards, 1, 1024);
  whole("replicas", replicas, 0, 16);
  whole("replicaTimeout", replicaTimeout, 1, 60_000);
  if (clock !== undefined && typeof clock?.now !== "function") {
    throw invalidOption("clock", "an object with now()", clock);
  }
  return Object.freeze({ client, prefix, shards, replicas, replicaTimeout, clock });
}

function whole(option: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw invalidOption(option, `a whole number from ${least} to ${most}`, value);
}
