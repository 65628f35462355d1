import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import {
  type AdapterHarness,
  adapterCases,
  adapterSuite,
  type RunningHost,
  runAdapterCases,
} from "../src/index.ts";
import { ReferenceAdapter } from "./reference-adapter.ts";

const casesOf = (topic: string) => adapterCases.filter((each) => each.topic === topic);

/** A host that takes every request and answers none. */
const silent: AdapterHarness = {
  async start(): Promise<RunningHost> {
    const server = createServer(() => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      origin: `http://127.0.0.1:${port}`,
      async close() {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      },
    };
  },
};

describe("runAdapterCases", () => {
  it("starts a server of its own for each application, and stops it", async () => {
    const running = new Set<string>();
    let started = 0;
    class Counted extends ReferenceAdapter {
      override async start(
        app: Parameters<ReferenceAdapter["start"]>[0],
      ): ReturnType<ReferenceAdapter["start"]> {
        const host = await super.start(app);
        running.add(host.origin);
        started += 1;
        return {
          origin: host.origin,
          close: async () => {
            await host.close();
            running.delete(host.origin);
          },
        };
      }
    }
    const cases = casesOf("caching");
    const results = await runAdapterCases(new Counted(), cases);
    expect(results).toEqual(cases.map(({ name, topic }) => ({ name, topic })));
    expect(started).toBe(cases.length);
    expect(running.size).toBe(0);
  });

  it("skips what a host says that it cannot do, and tells the reason", async () => {
    const harness: AdapterHarness = {
      start: (app) => new ReferenceAdapter().start(app),
      cannot: { "mount points": "there is one path" },
    };
    const results = await runAdapterCases(harness, casesOf("mount"));
    const skipped = results.filter((result) => result.skipped !== undefined);
    expect(skipped.map((result) => result.skipped)).toEqual(["mount points: there is one path"]);
    expect(results.filter((result) => "error" in result)).toEqual([]);
  });

  it("gives up on an adapter that never answers, and says what it waited for", async () => {
    const [result] = await runAdapterCases(silent, casesOf("caching"), { patience: 50 });
    expect(result?.error).toMatchObject({
      name: "OutOfPatience",
      message: 'After 50 ms: GET /?kind=text has no complete response, but "".',
    });
  });

  it("reports a host that cannot be started", async () => {
    const start = async (): Promise<never> => {
      throw new Error("no port is free");
    };
    const results = await runAdapterCases({ start }, casesOf("caching"));
    for (const { error } of results) expect(error).toMatchObject({ message: "no port is free" });
    expect(results).toHaveLength(casesOf("caching").length);
  });
});

describe("adapterSuite", () => {
  it("refuses to skip a case that does not exist", () => {
    expect(() => adapterSuite("x", silent, { skip: { nonsense: "because" } })).toThrow(
      "there is no such case",
    );
  });
});
