import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { RedisNode } from "./redis-node.ts";
import { makeFolder, type ServerFolder } from "./server-folder.ts";

/** What to change about the cluster. */
export interface RedisClusterOptions {
  /** Nodes with slots; at least 3, or no majority can promote a replica. */
  readonly masters?: number;
  /** Replicas of each master. */
  readonly replicas?: number;
  /** Milliseconds of silence after which a node is taken for dead. */
  readonly nodeTimeout?: number;
  /** For every node, as on the command line. */
  readonly args?: readonly string[];
}

/** One node of a cluster. */
export interface RedisClusterNode extends RedisNode {
  /** Its name in the cluster: 40 hexadecimal digits. */
  readonly id: string;
  /** What it was made as; after a failover `command("ROLE")` tells what it is. */
  readonly role: "master" | "replica";
  /** Of a replica: the id of the master that it was made for. */
  readonly masterId: string | undefined;
}

/** A Redis Cluster that nobody else uses. */
export interface RedisCluster {
  readonly nodes: readonly RedisClusterNode[];
  readonly urls: readonly string[];
  /** Waits until every node that runs sees the whole cluster as well and every replica that runs is in sync. */
  ready(): Promise<void>;
  /** Ends all nodes and removes everything that they wrote. */
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Longest time until the nodes agree, milliseconds. */
const AGREE_LIMIT = 60_000;

/**
 * Starts a Redis Cluster on free ports of 127.0.0.1 and resolves when it is whole, which takes a few seconds: the
 * nodes get to know each other by gossip. It does not outlive this process.
 */
export async function startRedisCluster({
  masters = 3,
  replicas = 1,
  nodeTimeout = 2000,
  args = [],
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const folder = makeFolder("redis-cluster", "TERM");
  const nodes: RedisNode[] = [];
  const stop = async (): Promise<void> => {
    for (const node of nodes) node.disconnect();
    await folder.watchdog.close();
  };
  try {
    const all = [...CLUSTER_ARGS, "--cluster-node-timeout", String(nodeTimeout), ...args];
    for (let index = 0; index < masters * (1 + replicas); index++) {
      nodes.push(await startNode(folder, all));
    }
    const named = await connectNodes(nodes, masters);
    const ready = (): Promise<void> => eventually("the cluster is not whole", () => isWhole(named));
    await ready();
    const urls = nodes.map(({ url }) => url);
    return { nodes: named, urls, ready, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const CLUSTER_ARGS = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"];

async function startNode(folder: ServerFolder, args: readonly string[]): Promise<RedisNode> {
  return RedisNode.start(folder, await freePort(), args);
}

/** Introduces the nodes to each other, and gives the masters their slots and the replicas their masters. */
async function connectNodes(
  nodes: readonly RedisNode[],
  masters: number,
): Promise<RedisClusterNode[]> {
  const ids: string[] = [];
  for (const [index, node] of nodes.entries()) {
    ids.push(String(await node.command("CLUSTER", "MYID")));
    // Different epochs from the start, so that nobody has to settle who owns what.
    await node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    if (index < masters) await node.command("CLUSTER", "ADDSLOTS", ...slotsOf(index, masters));
    if (index > 0) await node.command("CLUSTER", "MEET", "127.0.0.1", nodes[0]?.port ?? 0);
  }
  await eventually("the nodes do not know each other", async () => {
    for (const node of nodes) {
      const lines = await linesOf(node, "CLUSTER", "NODES");
      const known = lines.filter((line) => !line.includes("handshake"));
      if (known.length !== nodes.length) return false;
    }
    return true;
  });
  const named: RedisClusterNode[] = [];
  for (const [index, node] of nodes.entries()) {
    const id = ids[index] ?? "";
    const masterId = index < masters ? undefined : ids[index % masters];
    if (masterId !== undefined) await node.command("CLUSTER", "REPLICATE", masterId);
    const role = masterId === undefined ? "master" : "replica";
    named.push(Object.assign(node, { id, masterId, role } as const));
  }
  return named;
}

/** An equal share of the slots, the last master takes what is left over. */
function slotsOf(index: number, masters: number): number[] {
  const first = Math.floor((SLOTS * index) / masters);
  const next = Math.floor((SLOTS * (index + 1)) / masters);
  return Array.from({ length: next - first }, (_, offset) => first + offset);
}

/** Whether every node that runs sees the cluster well, and every replica that runs is in sync and known as one. */
async function isWhole(nodes: readonly RedisClusterNode[]): Promise<boolean> {
  const running = nodes.filter(({ pid }) => pid !== undefined);
  const replicas: string[] = [];
  let inSync = 0;
  for (const node of running) {
    const lines = await linesOf(node, "INFO", "replication");
    if (lines.includes("role:slave")) replicas.push(node.id);
    inSync += lines.filter((line) => /^slave\d+:.*state=online/.test(line)).length;
  }
  if (inSync < replicas.length) return false;
  for (const node of running) {
    const info = await linesOf(node, "CLUSTER", "INFO");
    if (!info.includes("cluster_state:ok")) return false;
    const view = await linesOf(node, "CLUSTER", "NODES");
    const known = view.filter((line) => /^\S+ \S+ (myself,)?slave /.test(line)).length;
    if (known < replicas.length) return false;
  }
  return true;
}

async function linesOf(node: RedisNode, ...command: readonly string[]): Promise<string[]> {
  return String(await node.command(...command))
    .trim()
    .split(/\r?\n/);
}

/** Asks again and again; a node that cannot be asked is one that is not ready. */
async function eventually(complaint: string, check: () => Promise<boolean>): Promise<void> {
  const stopAt = performance.now() + AGREE_LIMIT;
  let cause: unknown;
  do {
    try {
      if (await check()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await pause(25);
  } while (performance.now() < stopAt);
  throw new Error(`After ${AGREE_LIMIT} ms ${complaint}.`, { cause });
}
