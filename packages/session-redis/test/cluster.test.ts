import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll } from "vitest";
import { clusterDrivers, type Driver, driverSuite, harnessOf } from "./support.ts";

describeWithServer(
  "redis-cluster",
  "a cluster of three primaries with a replica each",
  (server) => {
    const primaries = () => server().nodes.filter(({ role }) => role === "master");
    const clear = async (): Promise<void> => {
      await Promise.all(primaries().map((node) => node.command("FLUSHALL")));
    };
    const publishers = () =>
      primaries().map(
        (node) =>
          (...args: string[]) =>
            node.command(...args),
      );
    for (const [name, connect] of Object.entries(clusterDrivers)) {
      const connected: Driver[] = [];
      const driver = (): Driver => {
        const [first] = connected;
        if (first === undefined) throw new Error("not connected yet");
        return first;
      };
      beforeAll(async () => {
        connected.push(await connect(server().urls));
      });
      afterAll(() => driver().close());

      // Fewer shards than by default, so that every primary has some and a case takes milliseconds.
      const harness = harnessOf(driver, { shards: 6, clear, publishers });
      driverSuite(name, `redis cluster, ${name}`, harness, {
        interleavings: name === "node-redis 6" ? 4 : 2,
      });
    }
  },
);
