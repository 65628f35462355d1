import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** How a child process is started. */
export interface ChildOptions {
  /** Core to pin it to, where `taskset` is present. */
  readonly core?: number;
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

const HAS_TASKSET = spawnSync("taskset", ["--version"]).status === 0;

/** Whether processes can be kept on one core each. */
export const IS_PINNED: boolean = HAS_TASKSET && availableParallelism() > 1;

/** Longest time that one question may take, milliseconds. */
const PATIENCE = 3_600_000;

/** A process of its own that answers questions; see `serveParent`. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  constructor(file: URL, options: ChildOptions = {}) {
    const command = [
      ...(IS_PINNED && options.core !== undefined ? ["taskset", "-c", String(options.core)] : []),
      process.execPath,
      `--conditions=${packageCondition()}`,
      "--disable-warning=ExperimentalWarning",
      ...(options.nodeArgs ?? []),
      file.pathname,
      ...(options.args ?? []),
    ];
    const [program = "", ...args] = command;
    this.#process = spawn(program, args, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // What peers do in production; express-session would print a warning about its own store there.
      env: { ...process.env, NODE_ENV: "production" },
    });
    this.#process.on("message", (message) => {
      const reply = message as Reply;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
    this.#process.on("exit", (code, signal) => {
      const error = `${file.pathname} ${options.args?.join(" ") ?? ""} exited with ${code ?? signal}`;
      for (const [id, settle] of this.#waiting) settle({ id, error });
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Asks and waits for the answer; the caller knows its type. */
  ask<Answer>(name: string, payload: unknown = undefined): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No answer to "${name}".`)), PATIENCE);
      this.#waiting.set(id, (reply) => {
        clearTimeout(timer);
        if (reply.error === undefined) resolve(reply.answer as Answer);
        else reject(new Error(reply.error));
      });
      this.#process.send({ id, name, payload }, (error) => {
        if (error !== null) this.#waiting.get(id)?.({ id, error: error.message });
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.kill("SIGKILL");
    await gone;
  }
}

/** Where the workspace's packages are taken from: their sources, or what `pnpm build` made of them. */
export function packageSource(): "source" | "dist" {
  return process.env.KYB_BENCH_PACKAGES === "dist" ? "dist" : "source";
}

function packageCondition(): string {
  return packageSource() === "source" ? "@kyb/source" : "default";
}
