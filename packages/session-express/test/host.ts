import express5, { type Express } from "express";
import express4 from "express4";
import { onTestFinished } from "vitest";
import { listen } from "../../session-node/test/support/host.ts";
import { type ActivityEntry, type SessionConfig, SessionManager } from "../src/index.ts";

/** Express as both versions are used here. */
export interface Version {
  readonly express: typeof express5;
}

export const versions: readonly (readonly [name: string, version: Version])[] = [
  // What the tests use is the same in both, and their types differ in what they do not.
  ["Express 4", { express: express4 as unknown as typeof express5 }],
  ["Express 5", { express: express5 }],
];

/** Serves an application until the test is over; errors that reach the default handler are not printed. */
export async function start(app: Express): Promise<string> {
  app.set("env", "test");
  return (await listen(app)).origin;
}

export function newManager(config: SessionConfig = {}): SessionManager {
  const manager = new SessionManager(config);
  onTestFinished(() => manager.close());
  return manager;
}

/** The requests in the timeline of the only session, oldest first. */
export async function timeline(manager: SessionManager): Promise<ActivityEntry[]> {
  const [only] = (await manager.list()).items;
  return only === undefined ? [] : (await manager.activity(only.id)).items.toReversed();
}
