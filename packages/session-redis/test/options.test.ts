import { readFileSync } from "node:fs";
import { isSessionError, type NewSession } from "@kyb/session-core/store";
import { describeWithServer } from "@kyb/session-testkit";
import { Cluster, Redis } from "ioredis";
import { createClient } from "redis";
import { expect, it } from "vitest";
import { redisStore } from "../src/index.ts";

const call = { signal: new AbortController().signal };

describeWithServer("redis", "redisStore", (server) => {
  const client = () => createClient({ url: server().url });

  it("refuses wrong options by name, rule and value (R-61)", () => {
    const wrong: readonly [object, string][] = [
      [{ prefix: "" }, "prefix"],
      [{ prefix: "{a}" }, "prefix"],
      [{ prefix: "a b" }, "prefix"],
      [{ shards: 0 }, "shards"],
      [{ shards: 1.5 }, "shards"],
      [{ shards: 2000 }, "shards"],
      [{ replicas: -1 }, "replicas"],
      [{ replicaTimeout: 0 }, "replicaTimeout"],
      [{ clock: {} }, "clock"],
      [{ perfix: "x" }, "perfix"],
      [{ client: undefined }, "client"],
      [{ client: {} }, "client"],
    ];
    for (const [options, name] of wrong) {
      const error = thrown(() => redisStore({ client: client(), ...options }));
      expect(error, name).toMatchObject({ code: "INVALID_CONFIG" });
      expect(String(error)).toContain(name);
    }
  });

  it("refuses clients that read from replicas or prefix keys themselves", () => {
    const nodes = [{ host: "127.0.0.1", port: 1 }];
    const lazyConnect = true;
    const clients = [
      new Cluster(nodes, { scaleReads: "slave", lazyConnect }),
      new Cluster(nodes, { scaleReads: "all", lazyConnect }),
      new Redis({ sentinels: nodes, name: "x", role: "slave", lazyConnect }),
      new Redis({ readOnly: true, lazyConnect }),
      new Redis({ keyPrefix: "mine:", lazyConnect }),
      new Cluster(nodes, { keyPrefix: "mine:", lazyConnect }),
    ];
    for (const each of clients) {
      expect(thrown(() => redisStore({ client: each }))).toMatchObject({ code: "INVALID_CONFIG" });
    }
  });

  it("fails at once where the client is not connected, and sends nothing later (R-76)", async () => {
    const never = client();
    const gone = client();
    await gone.connect();
    gone.destroy();
    const lazy = new Redis(server().url, { lazyConnect: true });
    for (const each of [never, gone, lazy]) {
      const store = redisStore({ client: each });
      const started = performance.now();
      await expect(store.find("a", call)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      expect(performance.now() - started).toBeLessThan(500);
      await store.close();
    }
    lazy.disconnect();
  });

  it("says what to do where the password is wrong", async () => {
    const locked = client();
    await locked.connect();
    await locked.sendCommand(["ACL", "SETUSER", "poor", "on", ">secret", "+ping"]);
    await locked.sendCommand(["AUTH", "poor", "secret"]);
    const store = redisStore({ client: locked });
    await expect(store.find("a", call)).rejects.toMatchObject({ code: "STORE_MISCONFIGURED" });
    locked.destroy();
  });

  it("needs no more than the README's ACL allows, and says so where the channel is missing", async () => {
    const admin = client();
    await admin.connect();
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const [, rules = ""] = /ACL SETUSER sessions on >secret (.+)$/m.exec(readme) ?? [];
    await admin.sendCommand(["ACL", "SETUSER", "sessions", "on", ">secret", ...rules.split(" ")]);
    await admin.sendCommand([
      ...["ACL", "SETUSER", "mute", "on", ">secret", "resetchannels"],
      ...rules.split(" ").filter((rule) => !rule.startsWith("&")),
    ]);
    const url = (user: string) => server().url.replace("//", `//${user}:secret@`);
    const allowed = createClient({ url: url("sessions") });
    const mute = createClient({ url: url("mute") });
    await Promise.all([allowed.connect(), mute.connect()]);
    const store = redisStore({ client: allowed, shards: 3 });
    const told = new Promise((resolve) => store.subscribe(resolve));
    const user = { max: 1, policy: "evict-oldest" } as const;
    for (const id of ["a", "b"]) {
      const limits = { maxSessions: 9, user };
      expect((await store.create(session(id), limits, call)).status).toBe("created");
    }
    await store.end("b", "revoked", {}, call);
    await store.sweep({ milliseconds: 100 }, call);
    expect((await store.metrics(call)).totalSessions).toBe(2);
    // Nobody hears the first events before the subscription stands.
    for (const stopAt = performance.now() + 5000; performance.now() < stopAt; ) {
      await admin.sendCommand(["PUBLISH", "kyb:events", "created marker - 0 -"]);
      if (await Promise.race([told, Promise.resolve()])) break;
    }
    expect(await told).toHaveProperty("sessionId");
    const other = redisStore({ client: mute, prefix: "kyb:mute:" });
    const none = { maxSessions: undefined, user: undefined };
    await expect(other.create(session("c"), none, call)).rejects.toMatchObject({
      code: "STORE_MISCONFIGURED",
    });
    await Promise.all([store.close(), other.close()]);
    for (const each of [admin, allowed, mute]) each.destroy();
  });

  it("closes twice as once, leaves the client open, and rejects everything afterwards", async () => {
    const mine = client();
    await mine.connect();
    const store = redisStore({ client: mine });
    store.subscribe(() => undefined);
    await store.close();
    await store.close();
    await expect(store.metrics(call)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await mine.ping()).toBe("PONG");
    mine.destroy();
  });
});

function session(id: string): NewSession {
  return {
    ...{ id, secretHash: `hash-of-${id}`, transport: "cookie", userId: "ann" },
    ...{ ipAddress: "192.0.2.1", userAgent: "test", provisionalTimeout: undefined },
    ...{ idleTimeout: 3_600_000, absoluteTimeout: 36_000_000, metadata: {}, metadataBytes: 0 },
  };
}

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return isSessionError(error) ? error : undefined;
  }
  return undefined;
}
