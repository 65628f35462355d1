import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import { Client, type Handler } from "./support/fetch-client.ts";
import { GatedStore } from "./support/gated-store.ts";
import { settle } from "./support/manual-timers.ts";

/** A request whose client can leave. */
function leaving(client: Client, handler: Handler): { leave(): Promise<void> } {
  const controller = new AbortController();
  // Nobody is left to hear how it ended.
  client.send(handler, "/", { signal: controller.signal }).catch(() => undefined);
  return {
    async leave() {
      await settle();
      controller.abort();
      await settle();
    },
  };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe("a client that leaves before there is an answer, on a host that tells by request.signal", () => {
  it("is a line with 499, once, also where the handler never ends", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const gate = Promise.withResolvers<void>();
    const request = leaving(client, async () => {
      client.world.clock.advance(70);
      await gate.promise;
      return new Response("too late");
    });
    await request.leave();
    const left = { statusCode: 499, responseSize: 0, duration: 70 };
    expect(await client.entry()).toMatchObject(left);
    gate.resolve();
    await settle();
    expect(await client.entry()).toMatchObject(left);
    expect((await client.world.manager.metrics()).totalRequests).toBe(2);
    await leaving(client, never).leave();
    expect((await client.world.manager.metrics()).totalRequests).toBe(3);
  });

  it("keeps what its handler has changed until then", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const request = leaving(client, (_request, session) => {
      session.set("order", 7);
      return never();
    });
    await request.leave();
    expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ order: 7 });
    expect(client.world.events("lost-write")).toEqual([]);
  });

  it("is a line with 499 where it left while the store was asked for its session", async () => {
    const gates = new GatedStore(memoryStore());
    const client = new Client({ store: gates.store });
    await client.send(() => new Response());
    const find = gates.hold("find");
    const request = leaving(client, () => new Response("too late"));
    await find.arrived;
    await request.leave();
    find.release();
    await settle();
    expect(await client.entry()).toMatchObject({ statusCode: 499, responseSize: 0 });
  });

  it("surprises nobody where its changes cannot be stored: lost-write tells", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const request = leaving(client, async (_request, session) => {
      const { id } = session;
      session.set("order", 7);
      await client.world.manager.revoke(id);
      return never();
    });
    await request.leave();
    expect(client.world.events("lost-write")).toMatchObject([{ keys: ["order"] }]);
  });
});

describe("a client that leaves after the headers have", () => {
  it("is a line with the status and the bytes that were sent", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const controller = new AbortController();
    const response = await client.send(() => new Response("12345", { status: 202 }), "/", {
      signal: controller.signal,
    });
    controller.abort();
    await settle();
    expect((await client.world.manager.metrics()).totalRequests).toBe(1);
    expect(await response.text()).toBe("12345");
    expect(await client.entry()).toMatchObject({ statusCode: 202, responseSize: 5 });
  });
});
