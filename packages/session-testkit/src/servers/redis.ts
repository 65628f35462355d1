import { freePort } from "./free-port.ts";
import { RedisNode, type RedisRestart } from "./redis-node.ts";
import type { RespReply } from "./resp.ts";
import { makeFolder } from "./server-folder.ts";

/** What to change about the server. */
export interface RedisOptions {
  /** As on the command line: `["--maxmemory", "8mb"]`. */
  readonly args?: readonly string[];
}

/** A Redis server that nobody else uses. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** The process; undefined while it is not running. */
  readonly pid: number | undefined;
  /** Gives the server an order; rejects when it answers with an error. */
  command(...args: readonly (string | number)[]): Promise<RespReply>;
  /** Ends the process, `SIGKILL` by default; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stands still (SIGSTOP): connections stay open and nothing is answered. */
  pause(): void;
  /** Goes on after `pause`. */
  resume(): void;
  /** Copies the data of this moment to a file; give its name to `restart`. */
  snapshot(): Promise<string>;
  /** Starts it again on the same port; kills it first if it is running. Resolves when it answers. */
  restart(options?: RedisRestart): Promise<void>;
  /** Ends it and removes everything that it wrote. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis or Valkey server on a free port of 127.0.0.1, in a temporary folder and without persistence (`args`
 * can turn it on). It does not outlive this process. Throws where {@link missingServer} says that there is none.
 */
export async function startRedis({ args = [] }: RedisOptions = {}): Promise<RedisServer> {
  const folder = makeFolder("redis", "TERM");
  try {
    const node = await RedisNode.start(folder, await freePort(), args);
    const stop = async (): Promise<void> => {
      node.disconnect();
      await folder.watchdog.close();
    };
    return Object.assign(node, { stop });
  } catch (error) {
    await folder.watchdog.close();
    throw error;
  }
}
