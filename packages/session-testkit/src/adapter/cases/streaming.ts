import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { pipe, stream } from "../reply.ts";

const EVENTS = { headers: { "Content-Type": "text/event-stream" } };

/** The code of what an action throws, as text. */
async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return "no error";
}

export const streamingCases: readonly AdapterCase[] = inTopic("streaming", [
  {
    name: "what a handler writes arrives while it goes on: nothing is collected until the end",
    async run(bench) {
      let gate = bench.gate();
      const app = await bench.start({
        routes: {
          "/events": async () =>
            stream(async (write) => {
              await write("data: first\n\n");
              await gate.pass();
              await write("data: last\n\n");
            }, EVENTS),
          "/pipe": async () => pipe(["first", () => gate.pass(), "last"]),
        },
      });
      for (const path of ["/events", "/pipe"]) {
        gate = bench.gate();
        const exchange = app.newcomer().send(path);
        expect((await exchange.head()).setCookies).toHaveLength(1);
        await exchange.received("first");
        expect(exchange.isOver).toBe(false);
        gate.open();
        expect((await exchange.answer()).text).toContain("last");
      }
    },
  },
  {
    name: "what a handler stores after the headers have left is stored before the response ends",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        store: "gated",
        routes: {
          "/": async ({ session }) =>
            stream(async (write) => {
              await write("first");
              await gate.pass();
              session.set("a", 1);
              await write("last");
            }),
        },
      });
      const { browser, id } = await app.visitor();
      const held = app.store.hold("commit");
      const exchange = browser.send("/");
      await exchange.received("first");
      gate.open();
      await held.reached();
      await app.fence();
      expect(exchange.isOver).toBe(false);
      held.open();
      expect((await exchange.answer()).text).toBe("firstlast");
      expect(await app.data(id)).toEqual({ a: 1 });
    },
  },
  {
    name: "a body of announced length is complete with its last byte: what was stored before it is in the store by then",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        store: "gated",
        routes: {
          "/": async ({ session }) =>
            stream(
              async (write) => {
                await write("first");
                await gate.pass();
                session.set("a", 1);
                await write("last");
              },
              { headers: { "Content-Length": "9" } },
            ),
        },
      });
      const { browser, id } = await app.visitor();
      const held = app.store.hold("commit");
      const exchange = browser.send("/");
      await exchange.received("first");
      gate.open();
      await held.reached();
      await app.fence();
      expect(exchange.isOver).toBe(false);
      held.open();
      expect((await exchange.answer()).text).toBe("firstlast");
      expect(await app.data(id)).toEqual({ a: 1 });
    },
  },
  ...(["signIn", "regenerate"] as const).map(
    (change) =>
      ({
        name: `${change} after the headers have left throws HEADERS_SENT and changes nothing`,
        async run(bench) {
          const gate = bench.gate();
          const app = await bench.start({
            routes: {
              "/": async ({ session }) =>
                stream(async (write) => {
                  await write("first ");
                  await gate.pass();
                  await write(await codeOf(() => session[change]("ann")));
                }),
            },
          });
          const { browser, id } = await app.visitor();
          const exchange = browser.send("/");
          await exchange.received("first");
          gate.open();
          expect((await exchange.answer()).text).toBe("first HEADERS_SENT");
          expect(await browser.read()).toMatchObject({ id, userId: null });
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "signOut after the headers have left ends the session all the same",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        routes: {
          "/": async ({ session }) =>
            stream(async (write) => {
              await write("first ");
              await gate.pass();
              await session.signOut();
              await write("last");
            }),
        },
      });
      const { browser, id } = await app.visitor({ userId: "ann" });
      const exchange = browser.send("/");
      await exchange.received("first");
      gate.open();
      expect((await exchange.answer()).text).toBe("first last");
      expect(await app.manager.get(id)).toMatchObject({ endReason: "signed-out" });
    },
  },
  {
    name: "with create: 'write' what is stored before the first byte of a stream comes with its cookie",
    async run(bench) {
      const app = await bench.start({
        config: { create: "write" },
        store: "gated",
        routes: {
          "/": async ({ session }) => {
            session.set("a", 1);
            return stream(async (write) => {
              await write("first");
              await write("last");
            });
          },
        },
      });
      const browser = app.newcomer();
      const answer = await browser.ask("/");
      expect(answer.text).toBe("firstlast");
      expect(answer.setCookies).toHaveLength(1);
      expect((await browser.read()).data).toEqual({ a: 1 });
    },
  },
]);
