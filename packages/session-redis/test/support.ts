import type { SessionStore } from "@kyb/session-core/store";
import {
  countInto,
  isLongForm,
  runStoreCases,
  type StoreHarness,
  type StoreSuiteOptions,
  storeCases,
  storeSuite,
} from "@kyb/session-testkit";
import { Cluster as Cluster6, Redis as Ioredis6 } from "ioredis";
import { Cluster as Cluster5, Redis as Ioredis5 } from "ioredis5";
import { createClient as createClient6, createCluster as createCluster6 } from "redis";
import { createClient as createClient5, createCluster as createCluster5 } from "redis5";
import { describe, it } from "vitest";
import { RedisStore } from "../src/redis-store.ts";
import { SCRIPTS, type Scripts } from "../src/scripts.ts";

/** A connected client, and what a test needs beside it. */
export interface Driver {
  readonly client: object;
  command(...args: string[]): Promise<unknown>;
  close(): Promise<void>;
}

export type Connect = (url: string) => Promise<Driver>;

export const drivers = {
  "node-redis 6": async (url) => nodeRedis(made<NodeRedis>(createClient6, { url })),
  "node-redis 5": async (url) => nodeRedis(made<NodeRedis>(createClient5, { url })),
  "ioredis 6": async (url) => ioredis(new Ioredis6(url, { lazyConnect: true })),
  "ioredis 5": async (url) => ioredis(new Ioredis5(url, { lazyConnect: true })),
} as const satisfies Readonly<Record<string, Connect>>;

/** Clients of a Cluster, from the addresses of some of its nodes. */
export const clusterDrivers = {
  "node-redis 6": async (urls: readonly string[]) =>
    nodeRedisCluster(made(createCluster6, { rootNodes: urls.map((url) => ({ url })) })),
  "node-redis 5": async (urls: readonly string[]) =>
    nodeRedisCluster(made(createCluster5, { rootNodes: urls.map((url) => ({ url })) })),
  "ioredis 6": async (urls: readonly string[]) =>
    ioredisCluster(new Cluster6([...urls], { lazyConnect: true })),
  "ioredis 5": async (urls: readonly string[]) =>
    ioredisCluster(new Cluster5([...urls], { lazyConnect: true })),
} as const;

function made<Client>(create: unknown, options: object): Client {
  return (create as (options: object) => Client)(options);
}

/** What is used of a client here; the drivers' own types, all four together, take the compiler a minute. */
interface NodeRedis {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

interface NodeRedisCluster extends Omit<NodeRedis, "sendCommand"> {
  sendCommand(
    key: string | undefined,
    isReadonly: boolean,
    args: readonly string[],
  ): Promise<unknown>;
}

async function nodeRedisCluster(client: NodeRedisCluster): Promise<Driver> {
  client.on("error", () => undefined);
  await client.connect();
  return {
    client,
    command: (...args) => client.sendCommand(args[1], false, args),
    close: async () => client.destroy(),
  };
}

async function ioredisCluster(client: Cluster5 | Cluster6): Promise<Driver> {
  client.on("error", () => undefined);
  await client.connect();
  return {
    client,
    command: (command = "", ...args) => client.call(command, ...args),
    close: async () => client.disconnect(),
  };
}

async function nodeRedis(client: NodeRedis): Promise<Driver> {
  client.on("error", () => undefined);
  await client.connect();
  return {
    client,
    command: (...args) => client.sendCommand(args),
    close: async () => client.destroy(),
  };
}

async function ioredis(client: Ioredis5 | Ioredis6): Promise<Driver> {
  client.on("error", () => undefined);
  await client.connect();
  return {
    client,
    command: (command = "", ...args) => client.call(command, ...args),
    close: async () => client.disconnect(),
  };
}

/**
 * The suite for one driver. Races go on about the store: in the short form those of the versions before, which differ
 * in how they are called, are left to the long form.
 */
export function driverSuite(
  driver: string,
  name: string,
  harness: StoreHarness,
  options: StoreSuiteOptions,
): void {
  if (!driver.endsWith("5") || isLongForm()) {
    storeSuite(name, harness, options);
    return;
  }
  describe(`store: ${name}`, () => {
    for (const each of storeCases.filter(({ topic }) => topic !== "races")) {
      it(each.name, async (context) => {
        countInto(context, { suite: name });
        const [result] = await runStoreCases(harness, [each]);
        if (result?.skipped !== undefined) return context.skip(result.skipped);
        if (result?.error !== undefined) throw result.error;
      });
    }
  });
}

export interface HarnessOptions {
  readonly shards?: number;
  readonly scripts?: Scripts;
  /** Of a Cluster: commands to each of the primaries. */
  readonly publishers?: () => readonly Driver["command"][];
  /** Removes everything from the servers, which nobody else uses. */
  readonly clear?: () => Promise<void>;
}

async function flush({ command }: Driver): Promise<void> {
  await command("FLUSHALL");
}

/** Stores on one server: each has a prefix, and a clock that stands still. */
export function harnessOf(
  driver: () => Driver,
  { shards, scripts = SCRIPTS, clear = () => flush(driver()), publishers }: HarnessOptions = {},
): StoreHarness {
  let opened = 0;
  return {
    open: async () => {
      opened += 1;
      const prefix = `t${process.pid}-${opened}:`;
      const clock = { time: 0, now: () => clock.time };
      const { client, command } = driver();
      const nodes = publishers?.() ?? [command];
      const options = { client, prefix, clock };
      const store = new RedisStore(
        shards === undefined ? options : { ...options, shards },
        scripts,
      );
      const events = new Arrivals(
        store,
        nodes.map((node) => (message) => node("PUBLISH", `${prefix}events`, message)),
      );
      await events.arrived();
      return {
        store: events.store,
        setTime: async (now) => {
          // Over several shards the peak is looked at once a second: before the next one comes, this one is over.
          if (clock.time !== 0 && shards !== 1)
            await store.metrics({ signal: new AbortController().signal });
          clock.time = now;
        },
        settle: () => events.arrived(),
        close: () => clear(),
      };
    },
  };
}

type Publish = (message: string) => Promise<unknown>;

/** Lets a test wait until everything that was published has been heard: by a message that comes after it. */
class Arrivals {
  readonly store: SessionStore;
  readonly #publishers: readonly Publish[];
  readonly #waiting = new Map<string, () => void>();
  #sent = 0;

  /** Of a Cluster each primary publishes: only what comes from one node keeps its order. */
  constructor(store: SessionStore, publishers: readonly Publish[]) {
    this.#publishers = publishers;
    this.store = withSubscribe(store, (listener) =>
      store.subscribe((event) => {
        if (!event.sessionId.startsWith("marker-")) listener(event);
      }),
    );
    store.subscribe(({ sessionId }) => this.#waiting.get(sessionId)?.());
  }

  async arrived(): Promise<void> {
    await Promise.all(this.#publishers.map((publish) => this.#arrivedFrom(publish)));
  }

  async #arrivedFrom(publish: Publish): Promise<void> {
    this.#sent += 1;
    const marker = `marker-${this.#sent}`;
    let isHeard = false;
    const heard = new Promise<void>((resolve) => {
      this.#waiting.set(marker, () => {
        isHeard = true;
        resolve();
      });
    });
    // Until the subscription stands nobody hears it, so it is said again.
    while (!isHeard) {
      await publish(`created ${marker} - 0 -`);
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    this.#waiting.delete(marker);
  }
}

/** The same store, but for one method. */
function withSubscribe(store: SessionStore, subscribe: SessionStore["subscribe"]): SessionStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "subscribe") return subscribe;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
