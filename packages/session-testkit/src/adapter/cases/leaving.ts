import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { pipe, stream, text } from "../reply.ts";

export const leavingCases: readonly AdapterCase[] = inTopic("timeline", [
  {
    name: "a client that leaves before the headers do is a line with 499, once, also where the handler never ends",
    needs: "notice of clients that leave",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        routes: {
          "/": async () => {
            await gate.pass();
            return text("too late");
          },
        },
      });
      const { browser, id } = await app.visitor();
      const exchange = browser.send("/");
      await gate.reached();
      app.clock.advance(70);
      exchange.abort();
      const left = { statusCode: 499, responseSize: 0, duration: 70 };
      expect(await app.entry(id)).toMatchObject(left);
      gate.open();
      await app.fence();
      expect(await app.entry(id)).toMatchObject(left);
      expect((await browser.ask("/quiet")).status).toBe(200);
    },
  },
  {
    name: "a client that leaves while the store is asked for its session is a line with 499",
    needs: "notice of clients that leave",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser, id } = await app.visitor();
      const gate = app.store.hold("find");
      const exchange = browser.send("/quiet");
      await gate.reached();
      exchange.abort();
      await app.fence();
      gate.open();
      expect(await app.entry(id)).toMatchObject({ statusCode: 499, responseSize: 0 });
      expect((await browser.ask("/quiet")).status).toBe(200);
    },
  },
  {
    name: "what a handler changed before its client left is stored",
    needs: "notice of clients that leave",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        routes: {
          "/": async ({ session }) => {
            session.set("order", 7);
            await gate.pass();
            return text("too late");
          },
        },
      });
      const { browser, id } = await app.visitor();
      const exchange = browser.send("/");
      await gate.reached();
      exchange.abort();
      await app.entry(id);
      gate.open();
      await app.eventually(async () => expect(await app.data(id)).toEqual({ order: 7 }));
    },
  },
  ...["stream", "pipe"].map(
    (kind) =>
      ({
        name: `a client that leaves in the middle of a body is a line with the status and the bytes that were sent (${kind})`,
        async run(bench) {
          const gate = bench.gate();
          const app = await bench.start({
            routes: {
              "/": async () =>
                kind === "pipe"
                  ? pipe(["first", () => gate.pass(), "last"], { status: 202 })
                  : stream(
                      async (write) => {
                        await write("first");
                        await gate.pass();
                        await write("last");
                      },
                      { status: 202 },
                    ),
            },
          });
          const { browser, id } = await app.visitor();
          const exchange = browser.send("/");
          await exchange.received("first");
          app.clock.advance(70);
          exchange.abort();
          const left = { statusCode: 202, responseSize: 5, duration: 70 };
          expect(await app.entry(id)).toMatchObject(left);
          gate.open();
          await app.fence();
          expect(await app.entry(id)).toMatchObject(left);
          expect((await browser.ask("/quiet")).status).toBe(200);
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
]);
