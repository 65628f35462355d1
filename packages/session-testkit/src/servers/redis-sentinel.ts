import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { RedisNode, redisProgram } from "./redis-node.ts";
import { RespConnection } from "./resp.ts";
import { makeFolder } from "./server-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** What to change about the servers. */
export interface RedisSentinelOptions {
  /** Milliseconds of silence after which the primary is taken for dead. Default: 500. */
  readonly downAfter?: number;
}

/** A primary with a replica, and a Sentinel that promotes the replica when the primary is dead. */
export interface RedisSentinel {
  /** What clients ask the Sentinel for. */
  readonly name: string;
  /** Where the Sentinel listens, on 127.0.0.1. */
  readonly port: number;
  /** The primary first, as they were made; after a failover `command("ROLE")` tells what they are. */
  readonly nodes: readonly [RedisNode, RedisNode];
  /** Ends everything and removes everything that it wrote. */
  stop(): Promise<void>;
}

const NAME = "main";

/**
 * Starts two Redis servers and one Sentinel, which decides alone, on free ports of 127.0.0.1, and resolves when the
 * Sentinel knows both. They do not outlive this process.
 */
export async function startRedisSentinel({
  downAfter = 500,
}: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const folder = makeFolder("redis-sentinel", "TERM");
  const nodes: RedisNode[] = [];
  const stop = async (): Promise<void> => {
    for (const node of nodes) node.disconnect();
    await folder.watchdog.close();
  };
  try {
    const primary = await RedisNode.start(folder, await freePort(), []);
    nodes.push(primary);
    const following = ["--replicaof", "127.0.0.1", String(primary.port)];
    const replica = await RedisNode.start(folder, await freePort(), following);
    nodes.push(replica);
    const port = await freePort();
    // It writes what it learns into its own configuration.
    const file = join(folder.path, "sentinel.conf");
    await writeFile(
      file,
      [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir ${folder.path}`,
        `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
        `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
        `sentinel failover-timeout ${NAME} 3000`,
        "",
      ].join("\n"),
    );
    const sentinel = new ServerProcess(
      {
        name: `sentinel-${port}`,
        command: redisProgram() ?? "redis-server",
        args: [file, "--sentinel"],
        isReady: () => knowsReplica(port),
      },
      folder,
    );
    await sentinel.start();
    return { name: NAME, port, nodes: [primary, replica], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function knowsReplica(port: number): Promise<boolean> {
  let connection: RespConnection | undefined;
  try {
    connection = await RespConnection.open(port);
    const replicas = await connection.send("SENTINEL", "REPLICAS", NAME);
    return Array.isArray(replicas) && replicas.length > 0;
  } catch {
    // It does not listen yet.
    return false;
  } finally {
    connection?.close();
  }
}
