import { expect } from "vitest";
import type { Gate } from "../gate.ts";
import { type AdapterCase, inTopic } from "../harness.ts";
import { errorReply, repliesOf } from "../replies.ts";
import { empty, json, pipe, type Reply, stream, text } from "../reply.ts";

/** More bytes than characters. */
const UMLAUTS = "äöü";

export const timelineCases: readonly AdapterCase[] = inTopic("timeline", [
  {
    name: "a request leaves one line with action, path, method, status, sizes and duration",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/order": async () => {
            app.clock.advance(40);
            return text(UMLAUTS, { status: 201 });
          },
        },
      });
      const { browser, id } = await app.visitor();
      const at = app.clock.now();
      await browser.ask("/order", { method: "PUT", body: "hello world" });
      expect(await app.entry(id)).toEqual({
        timestamp: at,
        action: "request",
        endpoint: "/order",
        method: "PUT",
        statusCode: 201,
        duration: 40,
        requestSize: 11,
        responseSize: 6,
      });
      expect((await app.manager.get(id))?.requestCount).toBe(1);
    },
  },
  {
    name: "the path is kept without its query string (R-45)",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      await browser.ask("/quiet?token=secret#fragment");
      expect((await app.entry(id)).endpoint).toBe("/quiet");
    },
  },
  {
    name: "behind a mount point the path that is kept is the whole one",
    needs: "mount points",
    async run(bench) {
      const app = await bench.start({
        layers: [{ kind: "session", at: "/shop" }],
        routes: { "/shop/cart": async () => text("cart") },
      });
      const { browser, id } = await app.visitor();
      await browser.ask("/shop/cart");
      expect((await app.entry(id)).endpoint).toBe("/shop/cart");
    },
  },
  ...repliesOf().kinds.flatMap((kind) =>
    ["GET", "HEAD"].map(
      (method) =>
        ({
          name: `status and size are what was sent (${kind}, ${method})`,
          async run(bench) {
            const replies = repliesOf({ status: kind === "redirect" ? 303 : 203 });
            const app = await bench.start({ routes: { "/": async () => replies(kind) } });
            const { browser, id } = await app.visitor();
            const answer = await browser.ask("/", { method });
            if (method === "HEAD") expect(answer.size).toBe(0);
            const { statusCode, responseSize } = await app.entry(id);
            expect({ statusCode, responseSize }).toEqual({
              statusCode: answer.status,
              responseSize: answer.size,
            });
          },
        }) satisfies Omit<AdapterCase, "topic">,
    ),
  ),
  {
    name: "a 204 and a 304 have no size, and a long body has all of it",
    async run(bench) {
      const part = "x".repeat(50_000);
      const replies: Readonly<Record<string, () => Reply>> = {
        "/204": () => empty(204),
        "/304": () => empty(304),
        "/text": () => text(part + part),
        "/json": () => json({ part }),
        "/pipe": () => pipe([part, part, part]),
      };
      const app = await bench.start({
        routes: Object.fromEntries(
          Object.entries(replies).map(([path, make]) => [path, async () => make()]),
        ),
      });
      const { browser, id } = await app.visitor();
      for (const path of Object.keys(replies)) await browser.ask(path);
      const sizes = (await app.timeline(id, 5)).map(({ statusCode, responseSize }) => [
        statusCode,
        responseSize,
      ]);
      expect(sizes).toEqual([
        [204, 0],
        [304, 0],
        [200, 100_000],
        [200, 50_011],
        [200, 150_000],
      ]);
    },
  },
  ...streamed("stream", (gate) =>
    stream(async (write) => {
      await write("first");
      await gate.pass();
      await write(UMLAUTS);
    }),
  ),
  ...streamed("pipe", (gate) => pipe(["first", () => gate.pass(), UMLAUTS])),
  ...streamed("server-sent events", (gate) =>
    stream(
      async (write) => {
        await write("first");
        await gate.pass();
        await write(UMLAUTS);
      },
      { headers: { "Content-Type": "text/event-stream" } },
    ),
  ),
  {
    name: "a handler that throws leaves a line with the status that was answered",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/": async () => {
            throw new Error("out of paper");
          },
        },
        onError: (error) => ({ ...errorReply(error), status: 418 }),
      });
      const { browser, id } = await app.visitor();
      const { size } = await browser.ask("/");
      expect(await app.entry(id)).toMatchObject({ statusCode: 418, responseSize: size });
    },
  },
  {
    name: "a request that was answered 503 because its changes could not be stored leaves a line that says so",
    async run(bench) {
      const app = await bench.start({ store: "gated", onError: errorReply });
      const { browser, id } = await app.visitor();
      app.store.break("commit", "throws");
      await browser.ask("/set?a=1");
      expect((await app.entry(id)).statusCode).toBe(503);
    },
  },
  {
    name: "a path that nobody answers leaves a line with 404",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const { size } = await browser.ask("/nothing-here");
      expect(await app.entry(id)).toMatchObject({
        endpoint: "/nothing-here",
        statusCode: 404,
        responseSize: size,
      });
    },
  },
  {
    name: "every request of a connection that is kept alive has its own line",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const client = app.client(1);
      const headers = { Cookie: browser.cookie ?? "" };
      for (const path of ["/quiet", "/read", "/set?a=1"]) await client.ask(path, { headers });
      const endpoints = (await app.timeline(id, 3)).map(({ endpoint }) => endpoint);
      expect(endpoints).toEqual(["/quiet", "/read", "/set"]);
    },
  },
  {
    name: "a newcomer's first request stands in the timeline of the session that it made",
    async run(bench) {
      const app = await bench.start();
      const { id } = await app.newcomer().read();
      expect((await app.entry(id)).endpoint).toBe("/read");
    },
  },
  {
    name: "what a handler tracks and annotates is there",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/": async ({ session }) => {
            session.track("print", { pages: 2 });
            session.annotate({ printer: "hall" });
            return text("printed");
          },
        },
      });
      const { browser, id } = await app.visitor();
      await browser.ask("/");
      const [own, request] = await app.timeline(id, 2);
      expect(own).toMatchObject({ action: "print", endpoint: "/", metadata: { pages: 2 } });
      expect(request).toMatchObject({ action: "request", metadata: { printer: "hall" } });
    },
  },
  {
    name: "a passive request has its line and keeps nobody alive",
    async run(bench) {
      const app = await bench.start();
      const { browser, id } = await app.visitor();
      const { lastActivityTime } = (await app.manager.get(id)) ?? expect.unreachable();
      app.clock.advance(1000);
      await browser.ask("/quiet", { headers: { "X-Session-Passive": "1" } });
      await app.timeline(id, 1);
      expect(await app.manager.get(id)).toMatchObject({
        lastActivityTime,
        lastAccessTime: lastActivityTime + 1000,
      });
      await browser.ask("/quiet");
      await app.timeline(id, 2);
      expect((await app.manager.get(id))?.lastActivityTime).toBe(lastActivityTime + 1000);
    },
  },
]);

/** A body of which the second part comes later. */
function streamed(
  kind: string,
  make: (gate: Gate) => Reply,
): readonly Omit<AdapterCase, "topic">[] {
  return [
    {
      name: `a body that comes in parts is one line, with all bytes and the time until the last (${kind})`,
      async run(bench) {
        const gate = bench.gate();
        const app = await bench.start({ routes: { "/": async () => make(gate) } });
        const { browser, id } = await app.visitor();
        const exchange = browser.send("/");
        await exchange.received("first");
        await app.fence();
        expect((await app.manager.activity(id)).items).toEqual([]);
        app.clock.advance(250);
        gate.open();
        expect((await exchange.answer()).text).toBe(`first${UMLAUTS}`);
        expect(await app.entry(id)).toMatchObject({
          statusCode: 200,
          responseSize: 11,
          duration: 250,
        });
      },
    },
  ];
}
