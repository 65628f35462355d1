import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { runToEnd, startProgram } from "./program.ts";

const FOLDER = new URL("..", import.meta.url);

describe("The demo", () => {
  it("runs on Express where nothing else is said, and stops on SIGINT as well", async () => {
    const program = await startProgram(FOLDER);
    expect(program.output()).toContain("The demo runs on express: http://127.0.0.1:");
    expect(program.output()).not.toContain("asks for no password");
    expect(await program.stop("SIGINT")).toBe(0);
  }, 60_000);

  it("warns where others can reach it", async () => {
    const program = await startProgram(FOLDER, { HOST: "0.0.0.0" });
    expect(program.output()).toContain("Whoever reaches this address can sign in as anybody");
    await program.stop();
  }, 60_000);

  it("says in one sentence that it does not know a framework, and exits with 1", async () => {
    const sentence = 'KYB_DEMO_HOST must be one of express, koa, hono, node, got "fastify".\n';
    const ending = await runToEnd(FOLDER, { KYB_DEMO_HOST: "fastify" });
    expect(ending).toEqual({ code: 1, output: sentence });
  }, 60_000);

  it("says in one sentence that its port is in use, and exits with 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const ending = await runToEnd(FOLDER, { PORT: port });
    other.close();
    const sentence = `Port ${port} on 127.0.0.1 is in use; choose another one with PORT.\n`;
    expect(ending).toEqual({ code: 1, output: sentence });
  }, 60_000);
});
