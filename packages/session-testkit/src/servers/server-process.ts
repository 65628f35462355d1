import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ServerFolder } from "./server-folder.ts";

/** Longest time that a server may take until it answers, milliseconds. */
const START_LIMIT = 30_000;

/** What is started, and how it is seen to be ready. */
export interface ServerProgram {
  /** Names the log file and the errors: `redis-7001`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Whom it runs as, where it refuses to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Asked again and again until it answers true. */
  readonly isReady: () => Promise<boolean>;
}

/** One server process, which can die, stand still, and be started again. */
export class ServerProcess {
  readonly #program: ServerProgram;
  readonly #folder: ServerFolder;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(program: ServerProgram, folder: ServerFolder) {
    this.#program = program;
    this.#folder = folder;
  }

  /** The running process; undefined: there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and resolves when it answers. */
  async start(): Promise<void> {
    const { name, isReady } = this.#program;
    const stopAt = performance.now() + START_LIMIT;
    this.#launch();
    while (!(await isReady())) {
      if (this.#child === undefined) {
        throw new Error(`${name} ended before it was ready.\n${this.log()}`);
      }
      if (performance.now() > stopAt) {
        throw new Error(`${name} does not answer after ${START_LIMIT} ms.\n${this.log()}`);
      }
      await pause(10);
    }
  }

  /** Sends a signal and, where it is one that ends the process, waits until it is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    child.kill(signal);
    await this.#ended;
  }

  /** Stands still from now on: connections stay open and nothing is answered. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** The last lines that it wrote. */
  log(): string {
    try {
      return readFileSync(this.#logFile, "utf8").split("\n").slice(-20).join("\n");
    } catch (error) {
      return `(there is no log: ${String(error)})`;
    }
  }

  get #logFile(): string {
    return join(this.#folder.path, `${this.#program.name}.log`);
  }

  #launch(): void {
    const { command, args, user } = this.#program;
    const log = openSync(this.#logFile, "a");
    try {
      const child = spawn(command, args, {
        // Detached: an interrupt from the terminal is not for the server.
        detached: true,
        cwd: this.#folder.path,
        stdio: ["ignore", log, log],
        ...user,
      });
      const { pid } = child;
      if (pid !== undefined) this.#folder.watchdog.watch(pid);
      this.#child = child;
      this.#ended = new Promise((resolve) => {
        const end = (): void => {
          if (pid !== undefined) this.#folder.watchdog.forget(pid);
          if (this.#child === child) this.#child = undefined;
          resolve();
        };
        child.once("exit", end);
        // Could not be started at all: `start` says so, with the log.
        child.once("error", end);
      });
      child.unref();
    } finally {
      closeSync(log);
    }
  }
}
