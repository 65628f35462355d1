import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { eventually, PATIENCE } from "../../src/adapter/patience.ts";

/** Where a server was. */
export interface Remains {
  readonly port: number;
  readonly folder: string;
}

/** Whether anybody listens on a port. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Waits until neither server nor folder is there. */
export async function isGone({ port, folder }: Remains): Promise<void> {
  await eventually(PATIENCE, async () => {
    expect(existsSync(folder), `${folder} is still there`).toBe(false);
    expect(await listens(port), `somebody listens on ${port}`).toBe(false);
  });
}

/** Starts a server in another process and ends that without stopping the server. Both were there before. */
export async function leaveBehind(kind: "redis" | "postgres", end: string): Promise<Remains> {
  const own = mkdtempSync(join(tmpdir(), "kyb-careless-"));
  chmodSync(own, 0o755);
  onTestFinished(() => rmSync(own, { recursive: true, force: true }));
  const child = spawn(
    process.execPath,
    ["--conditions=@kyb/source", join(import.meta.dirname, "careless.ts"), kind],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, TMPDIR: own } },
  );
  const ended = new Promise((resolve) => {
    child.once("exit", resolve);
  });
  const said = await new Promise<string>((resolve) => {
    child.stdout.once("data", (bytes: Buffer) => resolve(bytes.toString()));
  });
  const remains: Remains = JSON.parse(said);
  expect(existsSync(remains.folder)).toBe(true);
  expect(await listens(remains.port)).toBe(true);
  if (end === "exit") child.stdin.end();
  else child.kill(end as NodeJS.Signals);
  await ended;
  return remains;
}
