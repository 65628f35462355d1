import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What the processes said, and in which number they were killed. */
export interface Said {
  /** Labels of sessions. */
  readonly created: readonly string[];
  readonly set: readonly string[];
  readonly ended: readonly string[];
  readonly counted: number;
  readonly tracked: number;
  /** What should not have happened. */
  readonly wrong: readonly string[];
  readonly kills: number;
}

/** Several processes that write into one file at the same time. */
export class Crowd {
  readonly #path: string;
  readonly #twin: string;
  readonly #writers = new Set<ChildProcess>();
  readonly #lines: string[] = [];
  #names = 0;
  #kills = 0;
  #heard: () => void = () => undefined;

  constructor(path: string, twin: "" | "broken" = "") {
    this.#path = path;
    this.#twin = twin;
  }

  add(): void {
    this.#names += 1;
    const program = new URL("./writer.ts", import.meta.url).pathname;
    const writer = spawn(
      process.execPath,
      ["--conditions=@kyb/source", program, this.#path, `w${this.#names}`, this.#twin],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#writers.add(writer);
    createInterface({ input: writer.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#heard();
    });
    writer.on("exit", (code) => {
      // Killed ones have no code; one that ends by itself could not do its work.
      if (code !== null) this.#lines.push(`wrong a writer ended with ${code}`);
      this.#heard();
    });
  }

  /** Resolves when so many more lines have been said. */
  async hear(count: number): Promise<void> {
    const enough = this.#lines.length + count;
    while (this.#lines.length < enough && this.#isAlive()) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Kills the one that has lived longest, in the middle of whatever it does. */
  async killOne(): Promise<void> {
    const [writer] = this.#writers;
    if (writer === undefined) return;
    this.#writers.delete(writer);
    this.#kills += 1;
    const closed = new Promise((resolve) => writer.once("close", resolve));
    writer.kill("SIGKILL");
    await closed;
  }

  /** Kills all. What each has said is complete then. */
  async stop(): Promise<Said> {
    while (this.#writers.size > 0) await this.killOne();
    const details = (word: string): string[] =>
      this.#lines.flatMap((line) =>
        line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [],
      );
    return {
      created: details("created"),
      set: details("set"),
      ended: details("ended"),
      counted: details("counted").length,
      tracked: details("tracked").length,
      wrong: [...details("wrong"), ...details("failed")],
      kills: this.#kills,
    };
  }

  #isAlive(): boolean {
    return [...this.#writers].some(({ exitCode }) => exitCode === null);
  }
}
