import { SessionError } from "@kyb/session-core/store";
import { confirmOn, type RedisConnection } from "./connection.ts";
import { notConnected, refuseKeyPrefix } from "./refusals.ts";
import { flatReply } from "./reply.ts";
import { slotOf } from "./slot.ts";

type MessageListener = (channel: string, message: string) => void;

interface Emitter {
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "message", listener: MessageListener): unknown;
  off(event: "message", listener: MessageListener): unknown;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
}

interface Options {
  readonly keyPrefix?: string | undefined;
  readonly role?: string | undefined;
  readonly readOnly?: boolean | undefined;
  readonly scaleReads?: unknown;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly redisOptions?: { readonly keyPrefix?: string | undefined } | undefined;
}

/** What is used of `Redis`. */
interface Redis extends Emitter {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: Options;
  call(command: string, ...args: readonly string[]): Promise<unknown>;
  duplicate(options?: object): Redis;
  disconnect(): void;
}

/** What is used of `Cluster`. */
interface Cluster extends Emitter {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: Options;
  readonly slots: readonly (readonly string[] | undefined)[];
  nodes(role: "master"): readonly Redis[];
  call(command: string, ...args: readonly string[]): Promise<unknown>;
  duplicate(nodes?: readonly [], options?: object): Cluster;
  disconnect(): void;
}

type Ioredis = Redis | Cluster;

/** Whether this is a client of the package `ioredis`. */
export function isIoredis(client: object): client is Ioredis {
  return (
    typeof Reflect.get(client, "call") === "function" &&
    typeof Reflect.get(client, "isCluster") === "boolean" &&
    typeof Reflect.get(client, "status") === "string"
  );
}

/** Adapts a client of the package `ioredis`, versions 5 and 6. */
export function connectIoredis(client: Ioredis): RedisConnection {
  refuseKeyPrefix(client.options.keyPrefix);
  refuseReplicas(client.options);
  return isCluster(client) ? clusterConnection(client) : redisConnection(client);
}

function redisConnection(redis: Redis): RedisConnection {
  return {
    isCluster: false,
    send: async (_, args) => {
      if (redis.status !== "ready") throw notConnected(`its status is "${redis.status}"`);
      return call(redis, args);
    },
    listen: async (channel, hear) => {
      const own = besides(redis);
      await listenOn(own, channel, hear);
      return async () => own.disconnect();
    },
    witness: async () => {
      const own = besides(redis);
      await own.call("PING");
      return {
        confirm: (...question) => confirmOn((args) => call(own, args), ...question),
        close: async () => own.disconnect(),
      };
    },
  };
}

function clusterConnection(cluster: Cluster): RedisConnection {
  refuseKeyPrefix(cluster.options.redisOptions?.keyPrefix);
  return {
    isCluster: true,
    send: async (key, args) => {
      if (cluster.status !== "ready") throw notConnected(`its status is "${cluster.status}"`);
      // It names no key, from which the driver could tell the node.
      return call(args[0] === "INFO" ? primaryOf(cluster, key) : cluster, args);
    },
    listen: (channel, hear) => listenOn(cluster, channel, hear),
    witness: async () => {
      const redisOptions = { ...cluster.options.redisOptions, ...ONCE };
      const own = cluster.duplicate([], { redisOptions });
      ignoreErrors(own);
      await own.call("PING");
      return {
        confirm: async (key, ...question) => {
          const node = primaryOf(own, key);
          return confirmOn((args) => call(node, args), key, ...question);
        },
        close: async () => own.disconnect(),
      };
    },
  };
}

/** A question that is sent again after a reconnect would be answered for another connection. */
const ONCE = { autoResendUnfulfilledCommands: false };

function primaryOf(cluster: Cluster, key: string): Redis {
  const [address] = cluster.slots[slotOf(key)] ?? [];
  for (const node of cluster.nodes("master")) {
    if (`${node.options.host}:${node.options.port}` === address) return node;
  }
  throw notConnected("the primary of this slot is not known");
}

async function call(client: Ioredis, args: readonly string[]): Promise<unknown> {
  const [command = "", ...rest] = args;
  return flatReply(await client.call(command, ...rest));
}

/** A connection of our own, which waits for the server also where the application's does not. */
function besides(redis: Redis): Redis {
  const own = redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null, ...ONCE });
  ignoreErrors(own);
  return own;
}

async function listenOn(
  client: Emitter,
  channel: string,
  hear: (message: string) => void,
): Promise<() => Promise<void>> {
  const listener: MessageListener = (from, message) => {
    if (from === channel) hear(message);
  };
  client.on("message", listener);
  await client.subscribe(channel);
  return async () => {
    client.off("message", listener);
    await client.unsubscribe(channel);
  };
}

/** What a replica answers may be from before a session ended. */
function refuseReplicas({ scaleReads = "master", role, readOnly }: Options): void {
  if (scaleReads === "master" && role !== "slave" && readOnly !== true) return;
  const option = scaleReads !== "master" ? "scaleReads" : role === "slave" ? "role" : "readOnly";
  throw new SessionError(
    "INVALID_CONFIG",
    `The Redis client must not read from replicas, which show sessions that have ended: its option ${option} says so. Give the store a client without it.`,
  );
}

function isCluster(client: Ioredis): client is Cluster {
  return client.isCluster;
}

/** The driver reconnects by itself, and what fails meanwhile says so to its caller. */
function ignoreErrors(client: Emitter): void {
  client.on("error", () => undefined);
}
