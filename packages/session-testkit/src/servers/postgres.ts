import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { findProgram, versionFolders } from "./find-program.ts";
import { freePort } from "./free-port.ts";
import { makeFolder } from "./server-folder.ts";
import { ServerProcess } from "./server-process.ts";
import { type SystemUser, systemUser } from "./system-user.ts";

const run = promisify(execFile);

/** What to change about the server. */
export interface PostgresOptions {
  /** Settings as in postgresql.conf: `{ max_connections: "10" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server that nobody else uses: user `postgres`, database `postgres`, no password. */
export interface PostgresServer {
  readonly port: number;
  readonly url: string;
  readonly user: string;
  /** The postmaster; undefined while it is not running. */
  readonly pid: number | undefined;
  /** Ends the server, `SIGKILL` to the postmaster by default; resolves when that is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port, with its data; kills it first if it is running. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes everything that it wrote. */
  stop(): Promise<void>;
}

const USER = "postgres";

/** Nothing is synced to the disk: a killed server loses nothing by that, a machine without power would. */
const SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "64MB",
  max_connections: "200",
};

/** Longest time to wait for what a killed server has left behind, milliseconds. */
const LEFTOVERS_LIMIT = 10_000;

/**
 * Starts a PostgreSQL server on a free port of 127.0.0.1, in a temporary folder, as the system user `postgres` when
 * this process runs as root. It takes one to two seconds, and does not outlive this process. Throws where
 * {@link missingServer} says that there is none.
 */
export async function startPostgres({
  settings = {},
}: PostgresOptions = {}): Promise<PostgresServer> {
  const user = postgresUser();
  const folder = makeFolder("postgres", "QUIT", user);
  try {
    const data = join(folder.path, "data");
    const port = await freePort();
    await run(
      postgresProgram("initdb"),
      ["-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
      { cwd: folder.path, ...user },
    );
    const all: Record<string, string> = { ...SETTINGS, ...settings };
    const process = new ServerProcess(
      {
        name: `postgres-${port}`,
        command: postgresProgram("postgres"),
        args: [
          ...["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder.path],
          ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
        ],
        user,
        isReady: () => accepts(port),
      },
      folder,
    );
    await process.start();
    return serverOf(port, process, () => folder.watchdog.close());
  } catch (error) {
    await folder.watchdog.close();
    throw error;
  }
}

function serverOf(port: number, process: ServerProcess, stop: () => Promise<void>): PostgresServer {
  return {
    port,
    url: `postgres://${USER}@127.0.0.1:${port}/postgres`,
    user: USER,
    get pid() {
      return process.pid;
    },
    kill: (signal) => process.kill(signal),
    restart: async () => {
      await process.kill();
      await startAgain(process);
    },
    stop,
  };
}

/** The backends of a killed postmaster live on for a moment, and a new one refuses to start until they are gone. */
async function startAgain(process: ServerProcess): Promise<void> {
  const stopAt = performance.now() + LEFTOVERS_LIMIT;
  for (;;) {
    try {
      return await process.start();
    } catch (error) {
      if (performance.now() > stopAt) throw error;
    }
    await pause(20);
  }
}

/** Where a program of PostgreSQL is; its bare name where it is nowhere. */
function postgresProgram(name: "initdb" | "postgres"): string {
  return findPostgres(name) ?? name;
}

function findPostgres(name: "initdb" | "postgres"): string | undefined {
  return findProgram(name, versionFolders("/usr/lib/postgresql", "bin"));
}

/** Whether this machine has the server. */
export function hasPostgres(): boolean {
  return findPostgres("initdb") !== undefined && findPostgres("postgres") !== undefined;
}

/** Whom to run as: PostgreSQL refuses to run as root. Undefined: as this process does. */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return systemUser(USER);
}

/** Whether it lets a client in; a server that starts or recovers refuses. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("connect", () => socket.write(startupMessage()));
    // "R": let in; "E": refused.
    socket.once("data", (bytes) => end(bytes[0] === "R".charCodeAt(0)));
  });
}

/** The first message of a client: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function startupMessage(): Buffer {
  const version = 196_608;
  const parameters = Buffer.from(`user\0${USER}\0database\0postgres\0\0`);
  const message = Buffer.alloc(8 + parameters.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(version, 4);
  parameters.copy(message, 8);
  return message;
}
