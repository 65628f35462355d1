import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, describe, expect, it } from "vitest";
import { HOSTS } from "../settings.ts";
import { freePort, runToEnd, startProgram } from "./program.ts";
import { Shop, sessionOf } from "./shop.ts";

const FOLDER = new URL("..", import.meta.url);

describe("The demo on sqlite", () => {
  const folder = mkdtempSync(join(tmpdir(), "kyb-demo-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(HOSTS)(
    "keeps who is signed in over a restart, on %s",
    async (host) => {
      const url = join(folder, `${host}.db`);
      await keepsWhoIsSignedIn({
        KYB_DEMO_HOST: host,
        KYB_DEMO_STORE: "sqlite",
        KYB_DEMO_STORE_URL: url,
      });
    },
    60_000,
  );

  it("says in one sentence that its file cannot be opened, and exits with 1", async () => {
    const url = join(folder, "nowhere", "shop.db");
    const env = { KYB_DEMO_STORE: "sqlite", KYB_DEMO_STORE_URL: url };
    const { code, output } = await runToEnd(FOLDER, env);
    expect(code).toBe(1);
    expect(output).toContain(`The store sqlite at ${url} cannot be used: `);
    expect(output).toMatch(/its folder must exist.*KYB_DEMO_STORE_URL says where it is\.\n$/);
  }, 60_000);
});

describeWithServer("redis", "The demo on redis", (server) => {
  it("keeps who is signed in over a restart", async () => {
    await keepsWhoIsSignedIn({ KYB_DEMO_STORE: "redis", KYB_DEMO_STORE_URL: server().url });
  }, 60_000);

  it("says that nobody answers and where, without the password, and exits with 1", async () => {
    await saysThatNobodyAnswers("redis", (address) => `redis://:hidden@${address}`);
  }, 60_000);
});

describeWithServer("postgres", "The demo on postgres", (server) => {
  it("keeps who is signed in over a restart, and makes its tables by itself", async () => {
    await keepsWhoIsSignedIn({ KYB_DEMO_STORE: "postgres", KYB_DEMO_STORE_URL: server().url });
  }, 60_000);

  it("says that nobody answers and where, without the password, and exits with 1", async () => {
    await saysThatNobodyAnswers("postgres", (address) => `postgres://shop:hidden@${address}/shop`);
  }, 60_000);

  it("says that there is no such database, and exits with 1", async () => {
    const url = new URL("/nowhere", server().url).href;
    const env = { KYB_DEMO_STORE: "postgres", KYB_DEMO_STORE_URL: url };
    const { code, output } = await runToEnd(FOLDER, env);
    expect(code).toBe(1);
    expect(output).toMatch(/^The store postgres at .+: database "nowhere" does not exist\. .+\n$/);
  }, 60_000);
});

async function saysThatNobodyAnswers(
  kind: "redis" | "postgres",
  urlOf: (address: string) => string,
): Promise<void> {
  const address = `127.0.0.1:${await freePort()}`;
  const env = { KYB_DEMO_STORE: kind, KYB_DEMO_STORE_URL: urlOf(address) };
  const { code, output } = await runToEnd(FOLDER, env);
  expect(code).toBe(1);
  expect(output).toContain(`The store ${kind} at ${address} cannot be used: `);
  expect(output).toMatch(/: connect ECONNREFUSED .+\. KYB_DEMO_STORE_URL says where it is\.\n$/);
  expect(output).not.toContain("hidden");
}

/** Signs in, starts the program again at the same address, and looks. */
async function keepsWhoIsSignedIn(env: Readonly<Record<string, string>>): Promise<void> {
  const settings = { ...env, PORT: String(await freePort()) };
  const first = await startProgram(FOLDER, settings);
  expect(first.output()).toContain(`Its sessions are in ${env.KYB_DEMO_STORE}.`);
  const browser = await new Shop(first.url).openSignedIn("alice");
  const { id } = await sessionOf(browser);
  expect(await first.stop()).toBe(0);

  const second = await startProgram(FOLDER, settings);
  try {
    expect(await sessionOf(browser)).toMatchObject({ id, user_id: "alice" });
    expect((await browser.post("/sign-out")).status).toBe(303);
    expect(await sessionOf(browser)).toMatchObject({ user_id: null });
  } finally {
    await second.stop();
  }
}
