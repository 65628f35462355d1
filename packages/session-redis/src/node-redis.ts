import { confirmOn, type RedisConnection, type Witness } from "./connection.ts";
import { notConnected, refuseKeyPrefix } from "./refusals.ts";
import { flatReply } from "./reply.ts";
import { slotOf } from "./slot.ts";

/** Milliseconds between two questions for the new primary of a slot. */
const PROBE_INTERVAL = 200;

type Listener = (message: string, channel: string) => void;

interface PubSub {
  subscribe(channel: string, listener: Listener): Promise<unknown>;
  unsubscribe(channel: string, listener: Listener): Promise<unknown>;
}

interface Emitter {
  on(event: "error", listener: (error: unknown) => void): unknown;
}

/** What is used of `createClient`. */
interface Client extends PubSub, Emitter {
  readonly isReady: boolean;
  readonly options?: { readonly keyPrefix?: unknown };
  sendCommand(args: readonly string[]): Promise<unknown>;
  duplicate(): Client;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): void;
}

/** What is used of `createSentinel`. */
interface Sentinel extends PubSub, Emitter {
  readonly isReady: boolean;
  getMasterNode(): unknown;
  sendCommand(isReadonly: boolean, args: readonly string[]): Promise<unknown>;
  /** Version 5 has none. */
  duplicate?(options?: object): Sentinel;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): Promise<void> | void;
}

/** What is used of `createCluster`. */
interface Cluster extends PubSub, Emitter {
  readonly isOpen: boolean;
  readonly keyPrefix?: unknown;
  readonly slots: readonly ({ readonly master?: ClusterNode } | undefined)[];
  readonly masters: readonly ClusterNode[];
  sendCommand(key: string, isReadonly: boolean, args: readonly string[]): Promise<unknown>;
  nodeClient(node: ClusterNode): Promise<{
    sendCommand(args: readonly string[]): Promise<unknown>;
  }>;
  duplicate(): Cluster;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): void;
}

interface ClusterNode {
  readonly client?: { readonly isReady?: boolean } | undefined;
}

type NodeRedis = Client | Sentinel | Cluster;

/** Whether this is a client of the package `redis`. */
export function isNodeRedis(client: object): client is NodeRedis {
  return (
    has(client, "sendCommand", "subscribe", "connect", "destroy") &&
    ("isReady" in client || "masters" in client)
  );
}

/** Adapts a client of the package `redis`, versions 5 and 6. */
export function connectNodeRedis(client: NodeRedis): RedisConnection {
  if (isCluster(client)) return clusterConnection(client);
  if (isSentinel(client)) return sentinelConnection(client);
  return clientConnection(client);
}

function clientConnection(client: Client): RedisConnection {
  refuseKeyPrefix(client.options?.keyPrefix);
  return {
    isCluster: false,
    send: async (_, args) => {
      if (!client.isReady) throw notConnected("its connection is not ready");
      return flatReply(await client.sendCommand(args));
    },
    listen: async (channel, hear) => {
      const own = client.duplicate();
      ignoreErrors(own);
      await own.connect();
      await own.subscribe(channel, hear);
      return async () => own.destroy();
    },
    witness: async () => {
      const own = client.duplicate();
      ignoreErrors(own);
      await own.connect();
      return {
        confirm: (...question) => confirmOn((args) => own.sendCommand(args), ...question),
        close: async () => own.destroy(),
      };
    },
  };
}

function sentinelConnection(sentinel: Sentinel): RedisConnection {
  return {
    isCluster: false,
    send: async (_, args) => {
      if (!sentinel.isReady) throw notConnected("it knows no primary yet");
      return flatReply(await sentinel.sendCommand(false, args));
    },
    listen: (channel, hear) => listenOn(sentinel, channel, hear),
    witness: sentinel.duplicate === undefined ? undefined : () => sentinelWitness(sentinel),
  };
}

async function sentinelWitness(sentinel: Sentinel): Promise<Witness> {
  // One connection to the primary: what is asked on another one says nothing about a write on this one.
  const own = sentinel.duplicate?.({ masterPoolSize: 1 });
  if (own === undefined) throw notConnected("this Sentinel client has no second connection");
  ignoreErrors(own);
  await own.connect();
  return {
    confirm: (...question) => confirmOn((args) => own.sendCommand(false, args), ...question),
    close: async () => {
      await own.destroy();
    },
  };
}

/** Whatever the client's `useReplicas` says, every command is sent as one that writes: to the primary. */
function clusterConnection(cluster: Cluster): RedisConnection {
  refuseKeyPrefix(cluster.keyPrefix);
  let probedAt = Number.NEGATIVE_INFINITY;
  return {
    isCluster: true,
    send: async (key, args) => {
      if (!cluster.isOpen) throw notConnected("the cluster client is not open");
      if (isReady(cluster.slots[slotOf(key)]?.master) === false) {
        if (performance.now() - probedAt >= PROBE_INTERVAL) {
          probedAt = performance.now();
          askForPrimary(cluster, key);
        }
        throw notConnected("the primary of this slot cannot be reached");
      }
      if (args[0] === "INFO") return (await primaryOf(cluster, key)).sendCommand(args);
      return flatReply(await cluster.sendCommand(key, false, args));
    },
    listen: (channel, hear) => listenOn(cluster, channel, hear),
    witness: async () => {
      const own = cluster.duplicate();
      ignoreErrors(own);
      await own.connect();
      return {
        confirm: async (key, ...question) => {
          const node = await primaryOf(own, key);
          return confirmOn((args) => node.sendCommand(args), key, ...question);
        },
        close: async () => own.destroy(),
      };
    },
  };
}

/** The node itself, for commands that name no key. */
async function primaryOf(
  cluster: Cluster,
  key: string,
): Promise<{ sendCommand(args: readonly string[]): Promise<unknown> }> {
  const master = cluster.slots[slotOf(key)]?.master;
  if (master === undefined) throw notConnected("the primary of this slot is not known");
  return cluster.nodeClient(master);
}

/**
 * The client learns of a new primary only from a node that sends it there, and a slot whose primary is gone has none to
 * ask. So another primary is asked for the key: it answers where the slot has gone, and the client follows.
 */
function askForPrimary(cluster: Cluster, key: string): void {
  const other = cluster.slots.findIndex((shard) => isReady(shard?.master) === true);
  if (other === -1) return;
  for (let number = 0; number < 100_000; number++) {
    const route = `route:${number}`;
    if (slotOf(route) !== other) continue;
    cluster.sendCommand(route, false, ["TYPE", key]).catch(() => {
      // Only the redirection matters. While there is no new primary yet, the next call asks again.
    });
    return;
  }
}

/** These clients keep a connection for subscriptions themselves. */
async function listenOn(
  client: PubSub,
  channel: string,
  hear: (message: string) => void,
): Promise<() => Promise<void>> {
  const listener: Listener = (message) => hear(message);
  await client.subscribe(channel, listener);
  return async () => {
    await client.unsubscribe(channel, listener);
  };
}

function isReady(node: ClusterNode | undefined): boolean | undefined {
  return node?.client?.isReady;
}

function isCluster(client: NodeRedis): client is Cluster {
  return "masters" in client && "slots" in client;
}

function isSentinel(client: NodeRedis): client is Sentinel {
  return "getMasterNode" in client;
}

/** The driver reconnects by itself, and what fails meanwhile says so to its caller. */
function ignoreErrors(client: Emitter): void {
  client.on("error", () => undefined);
}

function has(client: object, ...methods: readonly string[]): boolean {
  return methods.every((name) => typeof Reflect.get(client, name) === "function");
}
