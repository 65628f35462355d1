import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { errorReply } from "../replies.ts";
import { stream } from "../reply.ts";

export const errorCases: readonly AdapterCase[] = inTopic("errors", [
  {
    name: "an error of a handler goes to the application's error handling, once and unchanged, and its answer is the answer",
    async run(bench) {
      const thrown = new Error("out of paper");
      const caught: unknown[] = [];
      const app = await bench.start({
        routes: {
          "/": async () => {
            throw thrown;
          },
        },
        onError: (error) => {
          caught.push(error);
          return errorReply(error);
        },
      });
      const answer = await app.newcomer().ask("/");
      expect(answer.status).toBe(500);
      expect(answer.text).toBe("handled out of paper");
      expect(caught).toEqual([thrown]);
      expect(caught[0]).toBe(thrown);
    },
  },
  ...(["memory", "gated"] as const).map(
    (store) =>
      ({
        name: `what a handler changed before it threw is kept (${store === "memory" ? "store in memory" : "asynchronous store"})`,
        async run(bench) {
          const app = await bench.start({
            store,
            routes: {
              "/": async ({ session }) => {
                session.set("a", 1);
                throw new Error("out of paper");
              },
            },
            onError: errorReply,
          });
          const { browser, id } = await app.visitor();
          expect((await browser.ask("/")).text).toBe("handled out of paper");
          expect(await app.data(id)).toEqual({ a: 1 });
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "a sign-in before the error is not lost: the error's answer carries the new cookie",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/": async ({ session }) => {
            await session.signIn("ann");
            throw new Error("out of paper");
          },
        },
        onError: errorReply,
      });
      const { browser, id } = await app.visitor();
      const answer = await browser.ask("/");
      expect(answer.status).toBe(500);
      expect(answer.setCookies).toHaveLength(1);
      expect(await browser.read()).toMatchObject({ id, userId: "ann" });
    },
  },
  {
    name: "a newcomer whose first request fails has a session all the same",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/": async () => {
            throw new Error("out of paper");
          },
        },
        onError: errorReply,
      });
      const browser = app.newcomer();
      expect((await browser.ask("/")).setCookies).toHaveLength(1);
      expect((await browser.read()).isNew).toBe(false);
    },
  },
  {
    name: "an error of the session's carries the status that the application's error handling needs",
    async run(bench) {
      const app = await bench.start({
        config: { maxMetadataBytes: 100 },
        onError: errorReply,
      });
      const { browser, id } = await app.visitor();
      const answer = await browser.ask(`/set?a=${"x".repeat(200)}`);
      expect(answer.status).toBe(413);
      expect(answer.text).toBe("handled METADATA_TOO_LARGE");
      expect(await app.data(id)).toEqual({});
    },
  },
  {
    name: "without error handling of the application's own the host answers with the status of the session's error",
    needs: "default error handling",
    async run(bench) {
      const app = await bench.start({ config: { maxMetadataBytes: 100 } });
      const { browser } = await app.visitor();
      expect((await browser.ask(`/set?a=${"x".repeat(200)}`)).status).toBe(413);
    },
  },
  {
    name: "a path that nobody answers is the host's 404, with the visitor's cookie",
    async run(bench) {
      const app = await bench.start();
      const answer = await app.newcomer().ask("/nothing-here");
      expect(answer.status).toBe(404);
      expect(answer.setCookies).toHaveLength(1);
    },
  },
  {
    name: "a body that fails in the middle leaves one line with what was sent, and the server goes on",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        routes: {
          "/": async () =>
            stream(async (write) => {
              await write("first");
              await gate.pass();
              throw new Error("out of paper");
            }),
        },
        onError: errorReply,
      });
      const { browser, id } = await app.visitor();
      const exchange = browser.send("/");
      await exchange.received("first");
      gate.open();
      await app.fence();
      // Whether the response is cut off then, or left open, is the host's business.
      exchange.abort();
      expect(await app.entry(id)).toMatchObject({ statusCode: 200, responseSize: 5 });
      expect((await browser.ask("/quiet")).text).toBe("quiet");
    },
  },
]);
