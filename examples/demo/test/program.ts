import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

/** A program of `examples/` that runs as its users run it. */
export interface Program {
  /** Origin that it answers at. */
  readonly url: string;
  /** What it has written so far. */
  output(): string;
  /** Sends a signal and waits for the end. Answers the exit code; null where the signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How a program that could not be started ended. */
export interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** Says where the program listens; the examples print the address in one of these two ways. */
const LISTENING = /http:\/\/[^\s:]+:(\d+)|\bport: (\d+)/;

/** Starts a script of the package in a folder and waits until it listens. Rejects if it ends before. */
export async function startProgram(
  folder: URL,
  env: Readonly<Record<string, string>> = {},
  script = "start",
): Promise<Program> {
  const { child, output } = run(folder, env, script);
  const ended = once(child, "close") as Promise<[number | null]>;
  const port = await new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const [, ...ports] = LISTENING.exec(output()) ?? [];
      const port = ports.find((found) => found !== undefined);
      if (port !== undefined) resolve(port);
    };
    child.stdout?.on("data", look);
    ended.then(
      ([code]) => reject(new Error(`The program ended with ${code}:\n${output()}`)),
      reject,
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    output,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

/** Runs a program that is expected to end by itself. */
export async function runToEnd(
  folder: URL,
  env: Readonly<Record<string, string>>,
): Promise<Ending> {
  const { child, output } = run(folder, env, "start");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output: output() };
}

/** A port that was free a moment ago, for programs that must know their own address before they listen. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return address.port;
}

function run(
  folder: URL,
  env: Readonly<Record<string, string>>,
  script: string,
): { child: ChildProcess; output: () => string } {
  const { scripts } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as {
    scripts: Record<string, string>;
  };
  const [command, ...args] = scripts[script]?.split(" ") ?? [];
  if (command !== "node") throw new Error(`The script "${script}" does not run node.`);
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(folder),
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return { child, output: () => output };
}
