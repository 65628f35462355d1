import { describeWithServer, storeSuite } from "@kyb/session-testkit";
import { afterAll, beforeAll } from "vitest";
import { type Driver, drivers, harnessOf } from "./support.ts";

// The order of writes that a Cluster needs, on one server: everything but the driver's routing is the same.
describeWithServer("redis", "sessions that are spread over shards", (server) => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await drivers["node-redis 6"](server().url);
  });
  afterAll(() => driver.close());

  storeSuite(
    "redis, 5 shards",
    harnessOf(() => driver, { shards: 5 }),
    { interleavings: 8 },
  );
});
