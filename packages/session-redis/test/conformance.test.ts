import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll } from "vitest";
import { type Driver, driverSuite, drivers, harnessOf } from "./support.ts";

for (const [name, connect] of Object.entries(drivers)) {
  describeWithServer("redis", name, (server) => {
    let driver: Driver;
    beforeAll(async () => {
      driver = await connect(server().url);
    });
    afterAll(() => driver.close());

    // The races go on about the store, not about the driver: one of them explores more.
    const interleavings = name === "node-redis 6" ? 15 : 3;
    driverSuite(
      name,
      `redis, ${name}`,
      harnessOf(() => driver),
      { interleavings },
    );
  });
}
