import { describeWithServer, storeSuite } from "@kyb/session-testkit";
import { afterAll, beforeAll } from "vitest";
import { clusterDrivers, type Driver, harnessOf } from "./support.ts";

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
      const drivers: Driver[] = [];
      const driver = (): Driver => {
        const [first] = drivers;
        if (first === undefined) throw new Error("not connected yet");
        return first;
      };
      beforeAll(async () => {
        drivers.push(await connect(server().urls));
      });
      afterAll(() => driver().close());

      // Fewer shards than by default, so that every primary has some and a case takes milliseconds.
      storeSuite(`redis cluster, ${name}`, harnessOf(driver, { shards: 6, clear, publishers }), {
        interleavings: name === "node-redis 6" ? 10 : 2,
      });
    }
  },
);
