import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface CurlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Runs a command that the demo printed, as a shell would; where there is no curl, sends the same with `fetch`. */
export async function runCurl(command: string): Promise<CurlAnswer> {
  try {
    const line = `${command} --silent --show-error --write-out '\\n%{http_code}'`;
    const { stdout } = await run("sh", ["-c", line]);
    const split = stdout.lastIndexOf("\n");
    return { status: Number(stdout.slice(split)), body: JSON.parse(stdout.slice(0, split)) };
  } catch (error) {
    // 127: the shell knows no such command.
    if (!(error instanceof Error && "code" in error && error.code === 127)) throw error;
    return sendInstead(command);
  }
}

async function sendInstead(command: string): Promise<CurlAnswer> {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  const after = (option: string): string | undefined =>
    words[words.indexOf(option) + 1 || words.length];
  const url = words.find((word) => word.startsWith("http://"));
  const [name = "", value = ""] = after("-H")?.split(": ") ?? [];
  const data = after("-d");
  const response = await fetch(url ?? "", {
    method: after("-X") ?? "GET",
    ...(name === "" ? {} : { headers: { [name]: value } }),
    ...(data === undefined ? {} : { body: data }),
  });
  return { status: response.status, body: await response.json() };
}
