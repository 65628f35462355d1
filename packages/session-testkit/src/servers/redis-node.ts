import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { RespConnection, RespError, type RespReply } from "./resp.ts";
import type { ServerFolder } from "./server-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** How a Redis process comes back. */
export interface RedisRestart {
  /** Without its data, as after a loss of the disk. Default: with what it last wrote to the disk. */
  readonly empty?: boolean;
  /** With the data of a moment that `snapshot` answered. */
  readonly snapshot?: string;
}

/** One Redis or Valkey process on 127.0.0.1. */
export class RedisNode {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ServerProcess;
  #control: RespConnection | undefined;
  #snapshots = 0;

  private constructor(port: number, folder: string, process: ServerProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  /** Starts one in a folder of its own below `folder`. `args` as on the command line, the last of a name wins. */
  static async start(
    folder: ServerFolder,
    port: number,
    args: readonly string[],
  ): Promise<RedisNode> {
    const data = join(folder.path, String(port));
    await mkdir(data);
    const process = new ServerProcess(
      {
        name: `redis-${port}`,
        command: redisProgram() ?? "redis-server",
        args: [
          ...["--port", String(port), "--bind", "127.0.0.1", "--dir", data],
          ...["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"],
          ...args,
        ],
        isReady: () => answers(port),
      },
      folder,
    );
    const node = new RedisNode(port, data, process);
    await process.start();
    return node;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The process; undefined while it is not running. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Gives the server an order, on a connection of its own that is opened when first used and stays; as the default
   * user. Rejects with a {@link RespError} when the server answers with an error.
   */
  async command(...args: readonly (string | number)[]): Promise<RespReply> {
    if (this.#control?.isOpen !== true) this.#control = await RespConnection.open(this.port);
    return this.#control.send(...args);
  }

  /** Ends the process, `SIGKILL` by default; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.#process.kill(signal);
  }

  /** Stands still (SIGSTOP): connections stay open and nothing is answered. */
  pause(): void {
    this.#process.pause();
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#process.resume();
  }

  /** Copies the data of this moment; give what is answered to `restart`. */
  async snapshot(): Promise<string> {
    await this.command("SAVE");
    this.#snapshots += 1;
    const copy = join(this.#folder, `snapshot-${this.#snapshots}.rdb`);
    await copyFile(join(this.#folder, "dump.rdb"), copy);
    return copy;
  }

  /** Starts it again on the same port; kills it first if it is running. Resolves when it answers. */
  async restart({ empty = false, snapshot }: RedisRestart = {}): Promise<void> {
    await this.kill();
    const dump = join(this.#folder, "dump.rdb");
    if (empty || snapshot !== undefined) {
      await rm(dump, { force: true });
      await rm(join(this.#folder, "appendonlydir"), { recursive: true, force: true });
    }
    if (snapshot !== undefined) await copyFile(snapshot, dump);
    await this.#process.start();
  }

  /** The last lines of its log. */
  log(): string {
    return this.#process.log();
  }

  /** Lets go of the connection that gave orders; the process is the folder's to end. */
  disconnect(): void {
    this.#control?.close();
  }
}

/** Where the server's program is; undefined: this machine has none. */
export function redisProgram(): string | undefined {
  return findProgram("redis-server") ?? findProgram("valkey-server");
}

/** Whether it answers a request as one that is up; a demand for a password is an answer as well. */
async function answers(port: number): Promise<boolean> {
  let connection: RespConnection | undefined;
  try {
    connection = await RespConnection.open(port);
    await connection.send("PING");
    return true;
  } catch (error) {
    return error instanceof RespError && error.message.startsWith("NOAUTH");
  } finally {
    connection?.close();
  }
}
