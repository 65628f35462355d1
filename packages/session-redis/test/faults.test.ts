import { describeWithServer, isLongForm } from "@kyb/session-testkit";
import { type FaultHarness, type FaultTarget, faultSuite } from "@kyb/session-testkit/faults";
import type { RedisServer } from "@kyb/session-testkit/servers";
import { redisStore } from "../src/index.ts";
import { type Connect, drivers } from "./support.ts";

/** Everything that was acknowledged is on the disk, so that a server that was killed can come back whole. */
const ARGS = ["--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"];

for (const [name, connect] of Object.entries(drivers)) {
  // The versions before differ in little; the long form tries them all.
  if (name.endsWith("5") && !isLongForm()) continue;
  describeWithServer(
    "redis",
    `redis, ${name}, in trouble`,
    (server) => faultSuite(`redis, ${name}`, harnessOf(server, connect)),
    { args: ARGS },
  );
}

interface RedisTarget extends FaultTarget {
  readonly server: RedisServer;
}

function harnessOf(server: () => RedisServer, connect: Connect): FaultHarness<RedisTarget> {
  let opened = 0;
  let background: Promise<void> = Promise.resolve();
  let isOn = false;
  /** Does something again and again, until the fault ends. */
  const repeat = (act: () => Promise<unknown>): void => {
    isOn = true;
    background = (async () => {
      while (isOn) await act();
    })();
  };
  const stop = async (): Promise<void> => {
    isOn = false;
    await background;
  };
  return {
    open: () => {
      opened += 1;
      const prefix = `f${opened}:`;
      const own = server();
      return {
        server: own,
        ports: [own.port],
        connect: async ([port]) => {
          const { client, close } = await connect(`redis://127.0.0.1:${port}`);
          return { store: redisStore({ client, prefix }), close };
        },
        close: async () => {
          await own.command("FLUSHALL");
        },
      };
    },
    crash: {
      isDurable: true,
      kill: (target) => target.server.kill(),
      restart: (target, how) => target.server.restart({ empty: how === "empty" }),
    },
    faults: [
      {
        name: "is full and may evict nothing",
        begin: (target) => set(target, "maxmemory", "1"),
        end: (target) => set(target, "maxmemory", "0"),
        expects: { read: "works", write: "STORE_FULL" },
      },
      {
        name: "has become a replica",
        begin: (target) => order(target, "REPLICAOF", "127.0.0.1", "1"),
        end: (target) => order(target, "REPLICAOF", "NO", "ONE"),
        expects: { read: "works", write: "STORE_UNAVAILABLE" },
      },
      {
        name: "asks for another password",
        begin: async (target) => {
          await set(target, "requirepass", "another");
          await order(target, "CLIENT", "KILL", "TYPE", "normal");
        },
        end: (target) => set(target, "requirepass", ""),
        expects: {
          read: ["STORE_MISCONFIGURED", "STORE_UNAVAILABLE"],
          write: ["STORE_MISCONFIGURED", "STORE_UNAVAILABLE"],
        },
      },
      {
        name: "stands still",
        begin: (target) => target.server.pause(),
        end: (target) => target.server.resume(),
        expects: { read: "STORE_UNAVAILABLE", write: "STORE_UNAVAILABLE" },
      },
      {
        name: "forgets its scripts again and again (F-16)",
        begin: (target) => repeat(() => order(target, "SCRIPT", "FLUSH")),
        end: stop,
        expects: { read: "works", write: "works" },
      },
      {
        name: "cuts off its clients again and again",
        begin: (target) => repeat(() => order(target, "CLIENT", "KILL", "TYPE", "normal")),
        end: stop,
        expects: {
          read: ["works", "STORE_UNAVAILABLE"],
          write: ["works", "STORE_UNAVAILABLE"],
        },
      },
    ],
  };
}

async function order({ server }: RedisTarget, ...command: readonly string[]): Promise<void> {
  await server.command(...command);
}

function set(target: RedisTarget, name: string, value: string): Promise<void> {
  return order(target, "CONFIG", "SET", name, value);
}
